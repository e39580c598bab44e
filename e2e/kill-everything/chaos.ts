import { messageOf } from '@tidemark/ports';
import type { Part } from './part.ts';
import { type Deed, describeFault, type Fault } from './plan.ts';
import type { PartKind } from './settings.ts';

/** Max number of faults at the same time. */
const HANDS = 4;
const GAP_MS = 200;
const POLL_MS = 100;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Applies the faults of a plan to the parts: several at once, but never to two parts of one kind, so that the others
 * can continue. A part must be ready again before the next fault of its kind.
 */
export class Chaos {
  readonly done: Record<Deed, number> = { kill: 0, freeze: 0, cut: 0, 'cut-log': 0, 'fill-disk': 0 };
  /** Parts that ended by themselves, or did not recover. */
  readonly problems: string[] = [];
  readonly #parts: readonly Part[];
  readonly #report: (text: string) => void;
  /** Parts that are down because of a fault. */
  readonly #down = new Set<Part>();
  readonly #busy = new Set<PartKind>();
  #isOver = false;
  #guarding: Promise<void> = Promise.resolve();

  constructor(parts: readonly Part[], report: (text: string) => void) {
    this.#parts = parts;
    this.#report = report;
  }

  /** Checks from now on that no part ends by itself. */
  guard(): void {
    this.#guarding = this.#guard();
  }

  async endGuard(): Promise<void> {
    this.#isOver = true;
    await this.#guarding;
  }

  /** Resolves when all faults of the plan were applied and ended. */
  async run(plan: readonly Fault[]): Promise<void> {
    const left = [...plan];
    await Promise.all(Array.from({ length: HANDS }, () => this.#hand(left)));
  }

  async #hand(left: Fault[]): Promise<void> {
    while (left.length > 0) {
      // Brokers first if possible: they need the longest time to restart, and only one may be down at a time.
      const isFree = ({ kind }: Fault) => !this.#busy.has(kind);
      const broker = left.findIndex((fault) => fault.kind === 'broker' && isFree(fault));
      const at = broker >= 0 ? broker : left.findIndex(isFree);
      if (at < 0) {
        await pause(POLL_MS);
        continue;
      }
      const [fault] = left.splice(at, 1);
      this.#busy.add(fault.kind);
      try {
        await this.#commit(fault);
      } catch (error) {
        this.problems.push(`${describeFault(fault)}: ${messageOf(error)}`);
      } finally {
        this.#busy.delete(fault.kind);
      }
      await pause(GAP_MS);
    }
  }

  async #commit(fault: Fault): Promise<void> {
    const part = this.#parts.filter(({ kind }) => kind === fault.kind)[fault.index];
    this.#report(describeFault(fault));
    this.done[fault.deed]++;
    if (fault.deed === 'kill' || fault.deed === 'fill-disk') {
      this.#down.add(part);
      await (fault.deed === 'kill' ? part.kill() : part.fillDisk());
      await pause(fault.forMs);
      part.spawn();
      this.#down.delete(part);
    } else if (fault.deed === 'freeze') {
      await part.freeze();
      await pause(fault.forMs);
      part.thaw();
    } else if (fault.deed === 'cut-log') {
      part.setLogLinks(fault.mode);
      await pause(fault.forMs);
      part.setLogLinks('open');
    } else {
      part.setLinks(fault.mode, fault.side);
      await pause(fault.forMs);
      part.setLinks('open', fault.side);
    }
    const startedMs = performance.now();
    await part.ready();
    this.#report(`${part.name} is back after ${Math.round(performance.now() - startedMs)} ms`);
  }

  async #guard(): Promise<void> {
    while (!this.#isOver) {
      for (const part of this.#parts) {
        if (part.isRunning || this.#down.has(part)) continue;
        this.problems.push(`${part.name} ended by itself`);
        this.#report(`${part.name} ended by itself`);
        part.spawn();
      }
      await pause(POLL_MS);
    }
  }
}
