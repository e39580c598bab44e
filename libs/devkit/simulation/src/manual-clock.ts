import type { Clock, Timer } from '@tidemark/ports';

/** A clock that only a test advances; its wall clock and its monotonic clock show the same time. */
export class ManualClock implements Clock {
  /** Current time, ms. Setting it fires no timer. */
  nowMs: number;
  readonly #timers = new Set<{ readonly atMs: number; readonly task: () => void }>();

  constructor(nowMs = 0) {
    this.nowMs = nowMs;
  }

  wallMs(): number {
    return this.nowMs;
  }

  monotonicMs(): number {
    return this.nowMs;
  }

  setTimer(delayMs: number, task: () => void): Timer {
    const timer = { atMs: this.nowMs + delayMs, task };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Advances the time by `durationMs`, then fires the due timers in the order in which they were set. */
  advance(durationMs: number): void {
    this.advanceTo(this.nowMs + durationMs);
  }

  /** Advances the time to `nowMs`. A timer set by a fired one waits for the next advance, even if it is due at once. */
  advanceTo(nowMs: number): void {
    this.nowMs = nowMs;
    for (const timer of [...this.#timers]) {
      // An earlier timer may have cancelled this one.
      if (timer.atMs <= nowMs && this.#timers.delete(timer)) timer.task();
    }
  }
}
