const FOREVER_MS = 2 ** 30;

/** Keeps the process alive, which timers of `SystemClock` don't, until the answer is called. */
export function holdProcess(): () => void {
  const handle = setInterval(() => undefined, FOREVER_MS);
  return () => clearInterval(handle);
}
