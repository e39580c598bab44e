const FOREVER_MS = 2 ** 30;

/** Keeps the process alive, as timers of `SystemClock` do not, until the returned function is called. */
export function holdProcess(): () => void {
  const handle = setInterval(() => undefined, FOREVER_MS);
  return () => clearInterval(handle);
}
