import { messageOf } from '@tidemark/ports';
import type { Part } from './part.ts';
import { type Deed, describeFault, type Fault } from './plan.ts';
import type { PartKind } from './settings.ts';

/** Faults at the same time. */
const HANDS = 4;
const GAP_MS = 200;
const LOOK_MS = 100;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Does to the parts what a plan says: several things at once, but never to two of the same kind, so that what is left
 * can go on. A part has to be ready again before the next of its kind gets its turn.
 */
export class Chaos {
  readonly done: Record<Deed, number> = { kill: 0, freeze: 0, cut: 0, 'cut-log': 0, 'fill-disk': 0 };
  /** What must not happen: a part that ended by itself, or did not come back. */
  readonly problems: string[] = [];
  readonly #parts: readonly Part[];
  readonly #tell: (text: string) => void;
  /** Parts that are down because of us. */
  readonly #down = new Set<Part>();
  readonly #busy = new Set<PartKind>();
  #isOver = false;
  #guarding: Promise<void> = Promise.resolve();

  constructor(parts: readonly Part[], tell: (text: string) => void) {
    this.#parts = parts;
    this.#tell = tell;
  }

  /** From here on no part may end by itself. */
  guard(): void {
    this.#guarding = this.#guard();
  }

  async endGuard(): Promise<void> {
    this.#isOver = true;
    await this.#guarding;
  }

  /** Resolves when everything of the plan was done and undone. */
  async run(plan: readonly Fault[]): Promise<void> {
    const left = [...plan];
    await Promise.all(Array.from({ length: HANDS }, () => this.#hand(left)));
  }

  async #hand(left: Fault[]): Promise<void> {
    while (left.length > 0) {
      // Brokers first where they can: they take the longest to come back, and only one at a time may be gone.
      const isFree = ({ kind }: Fault) => !this.#busy.has(kind);
      const broker = left.findIndex((fault) => fault.kind === 'broker' && isFree(fault));
      const at = broker >= 0 ? broker : left.findIndex(isFree);
      if (at < 0) {
        await pause(LOOK_MS);
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
    this.#tell(describeFault(fault));
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
    this.#tell(`${part.name} is back after ${Math.round(performance.now() - startedMs)} ms`);
  }

  async #guard(): Promise<void> {
    while (!this.#isOver) {
      for (const part of this.#parts) {
        if (part.isRunning || this.#down.has(part)) continue;
        this.problems.push(`${part.name} ended by itself`);
        this.#tell(`${part.name} ended by itself`);
        part.spawn();
      }
      await pause(LOOK_MS);
    }
  }
}
