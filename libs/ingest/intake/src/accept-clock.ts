import type { Clock } from '@tidemark/ports';

/** Clock with which a session stamps batches, whole ms since the Unix epoch. It never goes back. */
export interface AcceptClock {
  nowMs(): number;
}

/** Creates a clock that reads the wall clock once and continues with monotonic time. */
export function sessionClock(clock: Clock): AcceptClock {
  const startMs = clock.wallMs() - clock.monotonicMs();
  return { nowMs: () => Math.floor(startMs + clock.monotonicMs()) };
}
