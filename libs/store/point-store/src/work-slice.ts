import { type Clock, isTidemarkError, TidemarkError } from '@tidemark/ports';

/** How long work gives way to others: applying records, other queries, cancellations. */
export interface Slicing {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Resolves after everything else that waits in this thread had its turn. */
  readonly giveWay: () => Promise<void>;
  /** Work goes on for about this long at a time, ms. Default 20. */
  readonly sliceMs?: number;
}

const DEFAULT_SLICE_MS = 20;
/** Between two looks at the clock: some ten thousand points are folded in a millisecond. */
const COST_PER_LOOK = 4096;

/** Divides one long piece of work into slices, and ends it when nobody waits for it any more. */
export class WorkSlice {
  readonly #slicing: Slicing | undefined;
  readonly #signal: AbortSignal | undefined;
  #sinceMs: number;
  #cost = 0;

  /** Without `slicing` the work is one slice, as a caller that owns its thread wants it. */
  constructor(slicing: Slicing | undefined, signal: AbortSignal | undefined) {
    this.#slicing = slicing;
    this.#signal = signal;
    this.#sinceMs = slicing?.clock.monotonicMs() ?? 0;
    this.#check();
  }

  /** Counts work, in points or what costs as much. True when the slice is over: call `next` then. */
  spend(cost: number): boolean {
    this.#cost += cost;
    if (this.#cost < COST_PER_LOOK) return false;
    this.#cost = 0;
    this.#check();
    if (this.#slicing === undefined) return false;
    const { clock, sliceMs = DEFAULT_SLICE_MS } = this.#slicing;
    return clock.monotonicMs() - this.#sinceMs >= sliceMs;
  }

  /** Lets others have their turn; throws when the work was cancelled meanwhile. */
  async next(): Promise<void> {
    if (this.#slicing === undefined) return;
    await this.#slicing.giveWay();
    this.#check();
    this.#sinceMs = this.#slicing.clock.monotonicMs();
  }

  #check(): void {
    if (this.#signal?.aborted !== true) return;
    const { reason } = this.#signal;
    throw isTidemarkError(reason) ? reason : new TidemarkError('cancelled', 'the request was cancelled');
  }
}
