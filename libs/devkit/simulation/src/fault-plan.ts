import { AssertionError } from '@tidemark/ports';
import type { SeededRandom } from './seeded-random.ts';

/** Number of opportunities of a fault, and how often it happened. */
export interface FaultCount {
  opportunities: number;
  fired: number;
}

/**
 * Decides which faults happen. Each fault has a name and a probability; each opportunity draws once from the fault's
 * own random stream. A fault without a probability never happens and is not counted.
 */
export class FaultPlan {
  readonly #probabilities: ReadonlyMap<string, number>;
  readonly #streams = new Map<string, SeededRandom>();
  readonly #counts = new Map<string, FaultCount>();
  #enabled = true;

  /** `probabilities` are by fault, in [0, 1], such as `{ 'disk.full': 0.01 }`. */
  constructor(random: SeededRandom, probabilities: Readonly<Record<string, number>> = {}) {
    this.#probabilities = new Map(Object.entries(probabilities));
    for (const name of this.#probabilities.keys()) {
      this.#streams.set(name, random.fork(name));
      this.#counts.set(name, { opportunities: 0, fired: 0 });
    }
  }

  /** Returns true when the fault happens at this opportunity. */
  fires(name: string): boolean {
    const stream = this.#streams.get(name);
    const count = this.#counts.get(name);
    if (!this.#enabled || stream === undefined || count === undefined) return false;
    count.opportunities++;
    const fired = stream.next() < (this.#probabilities.get(name) ?? 0);
    if (fired) count.fired++;
    return fired;
  }

  /** Stops all faults, for the last part of a run, in which the system must become idle. */
  stop(): void {
    this.#enabled = false;
  }

  resume(): void {
    this.#enabled = true;
  }

  /** Returns the counts by fault, sorted by name. */
  counts(): Record<string, FaultCount> {
    const sorted = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(sorted.map(([name, count]) => [name, { ...count }]));
  }
}

/** Sums the counts of several runs. */
export function addFaultCounts(runs: readonly Readonly<Record<string, FaultCount>>[]): Record<string, FaultCount> {
  const sums: Record<string, FaultCount> = {};
  for (const run of runs) {
    for (const [name, { opportunities, fired }] of Object.entries(run)) {
      sums[name] ??= { opportunities: 0, fired: 0 };
      const sum = sums[name];
      sum.opportunities += opportunities;
      sum.fired += fired;
    }
  }
  return sums;
}

/** Throws when a fault never fired, because such a run tests nothing about that fault. */
export function assertAllFired(counts: Readonly<Record<string, FaultCount>>): void {
  const silent = Object.entries(counts).filter(([, { fired }]) => fired === 0);
  if (silent.length === 0) return;
  const list = silent.map(([name, { opportunities }]) => `${name} (${opportunities} opportunities)`).join(', ');
  throw new AssertionError(`faults that never fired: ${list}`);
}
