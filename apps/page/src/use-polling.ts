import { useEffect, useRef, useState } from 'react';
import { ApiError } from './api/api-error.ts';

export interface Polled<T> {
  /** The newest answer. It stays while later requests fail, and until the first answer for another key. */
  readonly data: T | undefined;
  /** The key of `data`. */
  readonly dataKey: string | undefined;
  /** Error of the newest request; undefined after a success. */
  readonly error: ApiError | undefined;
  /** Since when requests have failed, ms of the reader's clock. */
  readonly failingSinceMs: number | undefined;
}

const NOTHING = { data: undefined, dataKey: undefined, error: undefined, failingSinceMs: undefined };

/**
 * Sends a request at once, and again `everyMs` after each answer. Without `everyMs` it sends one request, and retries
 * only while the server is unreachable. It sends one request at a time, and none while the page is hidden. `key`
 * identifies the request: a new key cancels the request in progress, an undefined key sends none.
 */
export function usePolling<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  key: string | undefined,
  everyMs: number | undefined,
): Polled<T> {
  const [polled, setPolled] = useState<Polled<T>>(NOTHING);
  const newestAsk = useRef(ask);
  newestAsk.current = ask;

  useEffect(() => {
    if (key === undefined) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = (delayMs: number): void => {
      timer = setTimeout(turn, delayMs);
    };
    const turn = async (): Promise<void> => {
      if (document.hidden) {
        document.addEventListener('visibilitychange', turn, { once: true, signal: abort.signal });
        return;
      }
      try {
        const data = await newestAsk.current(abort.signal);
        if (abort.signal.aborted) return;
        setPolled({ data, dataKey: key, error: undefined, failingSinceMs: undefined });
        if (everyMs !== undefined) again(everyMs);
      } catch (thrown) {
        if (abort.signal.aborted) return;
        const error = thrown instanceof ApiError ? thrown : new ApiError('refused', String(thrown));
        setPolled((before) => ({ ...before, error, failingSinceMs: before.failingSinceMs ?? Date.now() }));
        if (everyMs !== undefined || error.kind === 'away') again(Math.max(RETRY_MS, everyMs ?? 0));
      }
    };
    turn();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, everyMs]);

  return polled;
}

const RETRY_MS = 2_000;
