/** A delay of a thread's event loop by more than this is reported, ms. */
export const LATE_THREAD_MS = 100;

/**
 * For this long a thread loads and compiles code, opens files, and collects for the first time, ms: then only a delay that
 * would be a fault is reported.
 */
export const THREAD_START_MS = 15_000;

/** A delay of the main thread that is a fault: a fifth of what ends the lease of an intake, ms. */
export const THREAD_FAULT_MS = 1000;

/** A delay that is reported is named for this long after it ended, ms. */
export const LATE_THREAD_NOTED_MS = 300_000;
