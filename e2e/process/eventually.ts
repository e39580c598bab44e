const POLL_MS = 15;
/** Default time limit: many times the usual time, also on a loaded machine, because it only ends a test that hangs. */
export const WITHIN_MS = 60_000;

/** Polls until `poll` returns a value other than undefined or false. Fails with its last error or value. */
export async function eventually<T>(
  what: string,
  poll: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = WITHIN_MS,
  pollMs = POLL_MS,
): Promise<T> {
  const deadlineMs = performance.now() + withinMs;
  let lastError: unknown;
  for (;;) {
    try {
      const seen = await poll();
      if (seen !== undefined && seen !== false) return seen;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > deadlineMs) {
      throw new Error(`waiting for ${what}: not within ${withinMs} ms`, { cause: lastError });
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
