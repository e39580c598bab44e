import { type Clock, isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { QueryServiceLimits } from './query-service-limits.ts';
import { beyondLimit } from './query-service-limits.ts';

/**
 * Runs `task` with a signal that aborts when the caller's does, when the time is up, and when the task is done, so that
 * no request of the task continues. The signal's reason is the TidemarkError that the task should end with.
 */
export async function withDeadline<T>(
  clock: Clock,
  limits: QueryServiceLimits,
  caller: AbortSignal | undefined,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const cancel = () => abort.abort(cancelled(caller?.reason));
  const timer = clock.setTimer(limits.timeMs, () => {
    const late = beyondLimit(limits, 'timeMs', `the query took more than ${limits.timeMs} ms`);
    abort.abort(new TidemarkError('deadline_exceeded', late.message, late.detail));
  });
  caller?.addEventListener('abort', cancel, { once: true });
  if (caller?.aborted) cancel();
  try {
    return await task(abort.signal);
  } finally {
    timer.cancel();
    caller?.removeEventListener('abort', cancel);
    abort.abort(DONE);
  }
}

/** What ends a request that continues after its query: one for all, because the stack of an error costs more than most of a short query. */
const DONE = new TidemarkError('cancelled', 'the query has ended');

function cancelled(reason: unknown): TidemarkError {
  return isTidemarkError(reason) ? reason : new TidemarkError('cancelled', 'the query was cancelled');
}
