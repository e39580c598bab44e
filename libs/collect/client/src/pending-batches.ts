import type { BatchFate } from './batch-fate.ts';

interface Waiter {
  /** It waits for the batches below this number. */
  readonly before: number;
  readonly done: () => void;
}

/** The batches that the client's memory alone has, in the order in which they were cut. */
export class PendingBatches {
  readonly #pending = new Map<number, BatchFate>();
  /** Ascending. */
  readonly #waiters = new Set<Waiter>();
  #next = 0;

  /** Adds a batch whose points are all pending. */
  add(fate: BatchFate): void {
    const number = this.#next++;
    this.#pending.set(number, fate);
    fate.onDecided(() => this.#decided(number));
  }

  get all(): BatchFate[] {
    return [...this.#pending.values()];
  }

  /**
   * Calls `done` when no batch of now is pending any more; at once when there is none. Returns a function that stops
   * waiting: a long outage must not gather waiters.
   */
  whenDecided(done: () => void): () => void {
    const waiter = { before: this.#next, done };
    this.#waiters.add(waiter);
    this.#wake();
    return () => this.#waiters.delete(waiter);
  }

  #decided(number: number): void {
    this.#pending.delete(number);
    this.#wake();
  }

  #wake(): void {
    if (this.#waiters.size === 0) return;
    const [oldest = Number.POSITIVE_INFINITY] = this.#pending.keys();
    for (const waiter of this.#waiters) {
      if (waiter.before > oldest) return;
      this.#waiters.delete(waiter);
      waiter.done();
    }
  }
}
