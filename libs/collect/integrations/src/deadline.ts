import { type Clock, sleep, TidemarkError } from '@tidemark/ports';

/**
 * Resolves to the result of `work`. Throws `deadline_exceeded` after `timeoutMs`, and `cancelled` when `signal` aborts.
 * The work itself continues after such an error; the caller must end it.
 */
export async function within<T>(clock: Clock, timeoutMs: number, signal: AbortSignal, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = sleep(clock, timeoutMs, AbortSignal.any([done.signal, signal])).then(() => {
    if (signal.aborted) throw new TidemarkError('cancelled', 'the run was cancelled');
    throw new TidemarkError('deadline_exceeded', `no complete response within ${timeoutMs} ms`, { timeoutMs });
  });
  // It also rejects after the work was in time, when the race no longer handles the rejection.
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}
