import type { SlicedWork } from '@tidemark/ports';

/**
 * Work that yields what it has cost since it last did, in values that it read, so that its caller can do other things in
 * between, or give it up. A piece between two yields takes at most some milliseconds.
 */
export type Work<T> = SlicedWork<T, number>;

/** Work that has been done. */
export function* done<T>(result: T): Work<T> {
  yield 0;
  return result;
}
