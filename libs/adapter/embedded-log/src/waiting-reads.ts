import { type Clock, TidemarkError } from '@tidemark/ports';

/** Reads of one partition that wait for further records. */
export class WaitingReads {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #wakes = new Set<() => void>();

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** Resolves at the next `wake`, after `waitMs`, or when `signal` aborts. `resource_exhausted` beyond the limit. */
  wait(waitMs: number, signal?: AbortSignal): Promise<void> {
    if (this.#wakes.size >= this.#limit) {
      throw new TidemarkError(
        'resource_exhausted',
        `waitingReads: ${this.#limit} reads of this partition wait already (limit: ${this.#limit}); retry later`,
        {
          limit: this.#limit,
        },
      );
    }
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(waitMs, done);
      const wakes = this.#wakes;
      function done(): void {
        wakes.delete(done);
        timer.cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      }
      wakes.add(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  wake(): void {
    for (const done of [...this.#wakes]) done();
  }
}
