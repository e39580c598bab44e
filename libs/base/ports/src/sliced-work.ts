/** Long work that yields after each piece of at most a few milliseconds, where other work may have its turn. */
export type SlicedWork<T, Cost = undefined> = Generator<Cost, T>;

/**
 * Does sliced work to its end; `pause` says after each piece whether to wait, and for what. Returns its result. When `pause`
 * fails the work is closed, so that its `finally` blocks give back what it has.
 */
export async function finishInSlices<T, Cost>(
  work: SlicedWork<T, Cost>,
  pause: (cost: Cost) => Promise<void> | undefined,
): Promise<T> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    try {
      const waiting = pause(step.value);
      if (waiting !== undefined) await waiting;
    } catch (error) {
      work.return(undefined as T);
      throw error;
    }
  }
}

/** Does sliced work to its end at once, for a caller that owns its thread. Returns its result. */
export function finishAtOnce<T>(work: SlicedWork<T, unknown>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}
