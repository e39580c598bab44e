import type { Clock } from './clock.ts';
import { isTidemarkError, TidemarkError } from './error.ts';
import { finishInSlices, type SlicedWork } from './sliced-work.ts';

/** When long work yields to other work: applying records, other queries, cancellations. */
export interface Slicing {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /**
   * Resolves after all other waiting work of this thread had its turn. Those for whom work is done, such as tenants, take
   * turns, however much work each of them has.
   */
  readonly yieldTurn: (forWhom?: string) => Promise<void>;
  /** Length of a slice of work, ms, approximately. Default 10. */
  readonly sliceMs?: number;
  /** Cost between two checks of the clock, in units of the cost of a point. Default 4096. */
  readonly costPerCheck?: number;
}

/** The slicing of work that is done for one of many. */
export function slicingOf(slicing: Slicing | undefined, forWhom: string | undefined): Slicing | undefined {
  return slicing && { ...slicing, yieldTurn: () => slicing.yieldTurn(forWhom) };
}

const DEFAULT_SLICE_MS = 10;
/** A millisecond is enough to fold about ten thousand points. */
const DEFAULT_COST_PER_CHECK = 4096;

/** Divides one long piece of work into slices, and ends it when its caller has cancelled it. */
export class WorkSlice {
  readonly #slicing: Slicing | undefined;
  /** Aborts when no caller waits for the work any more. */
  readonly signal: AbortSignal | undefined;
  readonly #mustEnd: (() => Error | undefined) | undefined;
  readonly #costPerCheck: number;
  #sinceMs: number;
  #cost = 0;

  /**
   * Starts the work. Without `slicing` it is one slice, for a caller that owns its thread. `mustEnd` is asked at each check
   * of the clock for a reason to give the work up, which is thrown.
   */
  constructor(slicing: Slicing | undefined, signal: AbortSignal | undefined, mustEnd?: () => Error | undefined) {
    this.#slicing = slicing;
    this.#costPerCheck = slicing?.costPerCheck ?? DEFAULT_COST_PER_CHECK;
    this.signal = signal;
    this.#mustEnd = mustEnd;
    this.#sinceMs = slicing?.clock.monotonicMs() ?? 0;
    this.#check();
  }

  /** Begins a slice after a wait, in which other work had its turn. */
  begin(): void {
    this.#check();
    if (this.#slicing !== undefined) this.#sinceMs = this.#slicing.clock.monotonicMs();
  }

  /** Counts work, in units of the cost of a point. When it returns true the slice has ended: call `next`. */
  spend(cost: number): boolean {
    this.#cost += cost;
    if (this.#cost < this.#costPerCheck) return false;
    this.#cost = 0;
    this.#check();
    if (this.#slicing === undefined) return false;
    const { clock, sliceMs = DEFAULT_SLICE_MS } = this.#slicing;
    return clock.monotonicMs() - this.#sinceMs >= sliceMs;
  }

  /** Yields to other work; throws when the work was cancelled meanwhile. */
  async next(): Promise<void> {
    if (this.#slicing === undefined) return;
    await this.#slicing.yieldTurn();
    this.begin();
  }

  /** Does work, which yields what its pieces cost, to its end. Returns its result. */
  finish<T>(work: SlicedWork<T, number>): Promise<T> {
    return finishInSlices(work, (cost) => (this.spend(cost) ? this.next() : undefined));
  }

  #check(): void {
    const reasonToEnd = this.#mustEnd?.();
    if (reasonToEnd !== undefined) throw reasonToEnd;
    if (this.signal?.aborted !== true) return;
    const { reason } = this.signal;
    throw isTidemarkError(reason) ? reason : new TidemarkError('cancelled', 'the request was cancelled');
  }
}
