import { AssertionError } from '@tidemark/ports';
import type { SeededRandom } from './seeded-random.ts';

/** How often a fault could have happened, and did. */
export interface FaultCount {
  opportunities: number;
  fired: number;
}

/**
 * Which faults happen: each has a name and a probability, and each opportunity draws once, from a stream of the fault's
 * own. A fault that has no probability here never happens and isn't counted.
 */
export class FaultPlan {
  readonly #probabilities: ReadonlyMap<string, number>;
  readonly #streams = new Map<string, SeededRandom>();
  readonly #counts = new Map<string, FaultCount>();
  #enabled = true;

  /** `probabilities`: by fault, in [0, 1], e.g. `{ 'disk.full': 0.01 }`. */
  constructor(random: SeededRandom, probabilities: Readonly<Record<string, number>> = {}) {
    this.#probabilities = new Map(Object.entries(probabilities));
    for (const name of this.#probabilities.keys()) {
      this.#streams.set(name, random.fork(name));
      this.#counts.set(name, { opportunities: 0, fired: 0 });
    }
  }

  /** True when the fault happens at this opportunity. */
  fires(name: string): boolean {
    const stream = this.#streams.get(name);
    const count = this.#counts.get(name);
    if (!this.#enabled || stream === undefined || count === undefined) return false;
    count.opportunities++;
    const fired = stream.next() < (this.#probabilities.get(name) ?? 0);
    if (fired) count.fired++;
    return fired;
  }

  /** From here on nothing goes wrong: the part of a run in which everything has to come to rest. */
  stop(): void {
    this.#enabled = false;
  }

  resume(): void {
    this.#enabled = true;
  }

  /** Counts by fault, sorted by name. */
  counts(): Record<string, FaultCount> {
    const sorted = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(sorted.map(([name, count]) => [name, { ...count }]));
  }
}

/** Sums of the counts of several runs. */
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

/** Throws when a fault never fired: a run that met no fault has shown nothing about it. */
export function assertAllFired(counts: Readonly<Record<string, FaultCount>>): void {
  const silent = Object.entries(counts).filter(([, { fired }]) => fired === 0);
  if (silent.length === 0) return;
  const list = silent.map(([name, { opportunities }]) => `${name} (${opportunities} opportunities)`).join(', ');
  throw new AssertionError(`faults that never fired: ${list}`);
}
