/** Long work that yields after each slice of a few milliseconds, where other work may have its turn. */
export type SlicedWork<T> = Generator<undefined, T>;

/** Does sliced work to its end, with `pause` after each slice. Returns its result. */
export async function finishInSlices<T>(work: SlicedWork<T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await pause();
  }
}

/** Does sliced work to its end at once, for a caller that owns its thread. Returns its result. */
export function finishAtOnce<T>(work: SlicedWork<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
