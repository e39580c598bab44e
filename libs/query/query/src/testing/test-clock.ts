import type { Clock } from '@tidemark/ports';

export interface TestClock extends Clock {
  /** Advances the time and fires the timers that are due. */
  advance(ms: number): void;
}

/** Creates a clock that advances only by `advance`. */
export function testClock(startMs = 1_700_000_200_000): TestClock {
  let nowMs = startMs;
  const timers = new Set<{ readonly atMs: number; readonly task: () => void }>();
  return {
    wallMs: () => nowMs,
    monotonicMs: () => nowMs - startMs,
    setTimer(delayMs, task) {
      const timer = { atMs: nowMs + delayMs, task };
      timers.add(timer);
      return { cancel: () => timers.delete(timer) };
    },
    advance(ms) {
      nowMs += ms;
      for (const timer of [...timers]) {
        if (timer.atMs > nowMs) continue;
        timers.delete(timer);
        timer.task();
      }
    },
  };
}
