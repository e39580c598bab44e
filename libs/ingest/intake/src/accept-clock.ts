import type { Clock } from '@tidemark/ports';

/** The time that a session stamps batches with, whole ms since the Unix epoch; it never goes back. */
export interface AcceptClock {
  nowMs(): number;
}

/** Reads the wall clock once and runs monotonic from there. */
export function sessionClock(clock: Clock): AcceptClock {
  const startMs = clock.wallMs() - clock.monotonicMs();
  return { nowMs: () => Math.floor(startMs + clock.monotonicMs()) };
}
