import type { PartError } from '@tidemark/contract';
import { AssertionError, isTidemarkError, messageOf, Slots, TidemarkError } from '@tidemark/ports';
import { abortable } from '@tidemark/replicas';
import { isRefusal } from '@tidemark/store-rpc';

/** Calls the parts of one answer, a bounded number at a time, and records those that could not answer. */
export class Parts {
  readonly errors: PartError[] = [];
  answered = 0;
  readonly #signal: AbortSignal;
  readonly #slots: Slots;

  constructor(concurrentRequests: number, signal: AbortSignal) {
    this.#slots = new Slots(concurrentRequests);
    this.#signal = signal;
  }

  /**
   * Returns the reply of a part; undefined when it could not answer, with its error in `errors`. Throws when the query
   * must end: refused by the part, cancelled, or out of time.
   */
  async ask<T>(part: string, request: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.#slots.run(async () => {
        this.#signal.throwIfAborted();
        // Within an async function, so that a request that throws synchronously is handled as a rejection.
        const reply = await abortable((async () => request(this.#signal))(), this.#signal);
        this.answered++;
        return reply;
      });
    } catch (error) {
      this.#signal.throwIfAborted();
      if (error instanceof AssertionError || isRefusal(error)) throw error;
      this.#record(part, error);
      return undefined;
    }
  }

  /** Throws `unavailable` when every part failed, because there is no partial answer. */
  requireOne(): void {
    const [first] = this.errors;
    if (this.answered > 0 || first === undefined) return;
    throw new TidemarkError('unavailable', `no part could answer: ${first.part}: ${first.message}`, {
      part: first.part,
      code: first.code,
    });
  }

  /** Returns the error of each part once, in a fixed order. */
  sortedErrors(): PartError[] {
    const byPart = new Map(this.errors.map((error) => [error.part, error]));
    return [...byPart.values()].sort((a, b) => a.part.localeCompare(b.part, 'en', { numeric: true }));
  }

  #record(part: string, error: unknown): void {
    const code = isTidemarkError(error) ? error.code : 'internal';
    this.errors.push({ part, code, message: messageOf(error) });
  }
}
