import { type Clock, TidemarkError } from '@tidemark/ports';
import { abortable } from './abortable.ts';

/**
 * Returns the answer of `ask`. Errors: `deadline_exceeded`, with `name`, after `timeoutMs`, and the reason of `signal`
 * when it aborts.
 */
export async function withinTime<T>(
  clock: Clock,
  timeoutMs: number,
  name: string,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const timer = clock.setTimer(timeoutMs, () => {
    late.abort(new TidemarkError('deadline_exceeded', `${name} did not answer within ${timeoutMs} ms`));
  });
  const within = AbortSignal.any([late.signal, signal]);
  try {
    // Within an async function, so that a synchronous throw is handled as a rejection.
    return await abortable((async () => ask(within))(), within);
  } finally {
    timer.cancel();
  }
}
