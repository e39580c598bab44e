import { type Clock, sleep, TidemarkError } from '@tidemark/ports';

/**
 * What `work` resolves to, unless it takes longer than `timeoutMs` (`deadline_exceeded`) or nobody waits for it any
 * more (`cancelled`). Whoever gives up has to end the work: it goes on by itself.
 */
export async function within<T>(clock: Clock, timeoutMs: number, signal: AbortSignal, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = sleep(clock, timeoutMs, AbortSignal.any([done.signal, signal])).then(() => {
    if (signal.aborted) throw new TidemarkError('cancelled', 'given up');
    throw new TidemarkError('deadline_exceeded', `no whole answer within ${timeoutMs} ms`, { timeoutMs });
  });
  // It is also woken when the work was in time; then nobody listens.
  late.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}
