import { type Clock, TidemarkError } from '@tidemark/ports';
import { abortable } from './abortable.ts';

/** What `ask` answers; `deadline_exceeded`, naming `who`, after `timeoutMs`, and the reason of `signal` when it aborts. */
export async function withinTime<T>(
  clock: Clock,
  timeoutMs: number,
  who: string,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = clock.setTimer(timeoutMs, () => {
    late.abort(new TidemarkError('deadline_exceeded', `${who} did not answer within ${timeoutMs} ms`));
  });
  const within = AbortSignal.any([late.signal, signal]);
  try {
    // Within an async function, so that what throws at once has failed as any other.
    return await abortable((async () => ask(within))(), within);
  } finally {
    timer.cancel();
  }
}
