/** A timer that was set; `cancel` is idempotent and safe after it fired. */
export interface Timer {
  cancel(): void;
}

/**
 * The source of time. The system's clock and the simulator's are the two implementations; no other code reads time.
 * All values are milliseconds and may be fractional.
 */
export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. It may jump: read it once, then continue with `monotonicMs`. */
  wallMs(): number;
  /** Milliseconds since an arbitrary start; it never decreases. */
  monotonicMs(): number;
  /** Calls `task` once, `delayMs` from now. The timer does not keep a process alive by itself. */
  setTimer(delayMs: number, task: () => void): Timer;
}

/** Resolves after `delayMs`, or at once (without an error) when `signal` aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = clock.setTimer(delayMs, done);
    function done(): void {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done, { once: true });
  });
}
