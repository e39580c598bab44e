import { backoffMs, type Clock, isTidemarkError, type Random, sleep } from '@tidemark/ports';

/** Attempts of an operation of the object store. An adapter may retry by itself before. */
export const ATTEMPTS = 6;
/** Pauses double from the first to the longest one, ms. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** Detail `reason` of the `aborted` error of a pin that was revoked. */
export const REVOKED = 'revoked';

export interface RetryParts {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Repeats `once` while it fails as `unavailable`, or `aborted` by another writer, up to `ATTEMPTS` times. Throws the last error,
 * or the reason of `signal`. `once` gets the number of attempts before it.
 */
export async function retried<T>(
  { clock, random }: RetryParts,
  once: (before: number) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let before = 0; ; before++) {
    signal?.throwIfAborted();
    try {
      return await once(before);
    } catch (error) {
      // The chunks of a stream may throw that a pin was revoked, which stays so.
      const isRevoked = isTidemarkError(error) && error.detail.reason === REVOKED;
      const isPassing = isTidemarkError(error, 'unavailable') || (isTidemarkError(error, 'aborted') && !isRevoked);
      if (!isPassing || before + 1 >= ATTEMPTS) throw error;
    }
    await sleep(clock, backoffMs(before, FIRST_PAUSE_MS, LONGEST_PAUSE_MS, random), signal);
  }
}
