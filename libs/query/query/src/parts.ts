import type { PartError } from '@tidemark/contract';
import { AssertionError, isTidemarkError, TidemarkError } from '@tidemark/ports';
import { abortable, Slots } from '@tidemark/replicas';
import { isRefusal } from '@tidemark/store-rpc';

/** Asks the parts of one answer, a bounded number at a time, and keeps book of those that could not answer. */
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
   * What the part answers; undefined when it could not, which is then among the errors. Throws when the query is at
   * an end: refused by the part, cancelled, or out of time.
   */
  async ask<T>(part: string, request: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.#slots.run(async () => {
        this.#signal.throwIfAborted();
        // Within an async function, so that a request that throws at once is an answer as any other.
        const reply = await abortable((async () => request(this.#signal))(), this.#signal);
        this.answered++;
        return reply;
      });
    } catch (error) {
      this.#signal.throwIfAborted();
      if (error instanceof AssertionError || isRefusal(error)) throw error;
      this.#note(part, error);
      return undefined;
    }
  }

  /** Throws `unavailable` when every part that was asked failed: there is nothing to be partial. */
  requireOne(): void {
    const [first] = this.errors;
    if (this.answered > 0 || first === undefined) return;
    throw new TidemarkError('unavailable', `no part could answer: ${first.part}: ${first.message}`, {
      part: first.part,
      code: first.code,
    });
  }

  /** Each part once, in a fixed order. */
  sortedErrors(): PartError[] {
    const byPart = new Map(this.errors.map((error) => [error.part, error]));
    return [...byPart.values()].sort((a, b) => a.part.localeCompare(b.part, 'en', { numeric: true }));
  }

  #note(part: string, error: unknown): void {
    const code = isTidemarkError(error) ? error.code : 'internal';
    this.errors.push({ part, code, message: error instanceof Error ? error.message : String(error) });
  }
}
