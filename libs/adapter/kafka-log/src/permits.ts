import { type Clock, TidemarkError, type Timer } from '@tidemark/ports';
import { withOutlook } from './kafka-error.ts';

interface Waiting {
  readonly amount: number;
  readonly resolve: () => void;
  readonly timer: Timer;
}

/** A bounded amount of bytes or connections that callers take and give back; waiting callers are served in order. */
export class Permits {
  readonly #name: string;
  readonly #total: number;
  readonly #waitingLimit: number;
  readonly #clock: Clock;
  readonly #queue: Waiting[] = [];
  #free: number;

  constructor(name: string, total: number, waitingLimit: number, clock: Clock) {
    this.#name = name;
    this.#total = total;
    this.#waitingLimit = waitingLimit;
    this.#clock = clock;
    this.#free = total;
  }

  /**
   * Takes `amount`, or the total when `amount` exceeds it. Returns the amount to give back. Errors:
   * `resource_exhausted` when too many callers wait, `deadline_exceeded` after `waitMs`; both name the limit.
   */
  async take(amount: number, waitMs: number): Promise<number> {
    const wanted = Math.min(amount, this.#total);
    if (this.#queue.length === 0 && wanted <= this.#free) {
      this.#free -= wanted;
      return wanted;
    }
    const refusal = (code: 'resource_exhausted' | 'deadline_exceeded', text: string): TidemarkError =>
      withOutlook(new TidemarkError(code, text, { limit: this.#name, busy: true }), {
        isPassing: true,
        isNotStored: true,
      });
    if (this.#queue.length >= this.#waitingLimit) {
      throw refusal('resource_exhausted', `${this.#queue.length} requests wait for ${this.#name} already`);
    }
    await new Promise<void>((resolve, reject) => {
      const waiting: Waiting = {
        amount: wanted,
        resolve,
        timer: this.#clock.setTimer(waitMs, () => {
          const at = this.#queue.indexOf(waiting);
          if (at >= 0) this.#queue.splice(at, 1);
          this.#serve();
          reject(refusal('deadline_exceeded', `${this.#name} (${this.#total}) were in use for ${waitMs} ms`));
        }),
      };
      this.#queue.push(waiting);
    });
    return wanted;
  }

  give(amount: number): void {
    this.#free += amount;
    this.#serve();
  }

  #serve(): void {
    for (let next = this.#queue[0]; next !== undefined && next.amount <= this.#free; next = this.#queue[0]) {
      this.#queue.shift();
      this.#free -= next.amount;
      next.timer.cancel();
      next.resolve();
    }
  }
}
