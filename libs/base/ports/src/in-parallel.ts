/**
 * Runs `task` for all items, at most `limit` at the same time. After the first error no task begins, the others get an aborted
 * signal, and the error is thrown when all of them have ended. Throws the reason of `signal` likewise.
 */
export async function inParallel<T>(
  items: readonly T[],
  limit: number,
  task: (item: T, signal: AbortSignal) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  let failure: { readonly error: unknown } | undefined;
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length && !either.aborted) {
      try {
        await task(items[next++], either);
      } catch (error) {
        failure ??= { error };
        stop.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  signal?.throwIfAborted();
  if (failure !== undefined) throw failure.error;
}
