/**
 * Work that yields what it has cost since it last did, in values that it read, so that its caller can do other things in
 * between, or give it up. A piece between two yields takes at most some milliseconds.
 */
export type Work<T> = Generator<number, T, void>;

/** Does all of the work at once. */
export function finish<T>(work: Work<T>): T {
  let step = work.next();
  while (step.done !== true) step = work.next();
  return step.value;
}

/** Work that has been done. */
export function* done<T>(result: T): Work<T> {
  yield 0;
  return result;
}
