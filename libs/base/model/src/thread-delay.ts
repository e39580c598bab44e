/** A delay of a thread's event loop by more than this is reported, ms. */
export const LATE_THREAD_MS = 100;

/** A delay that is reported is named for this long after it ended, ms. */
export const LATE_THREAD_NOTED_MS = 300_000;
