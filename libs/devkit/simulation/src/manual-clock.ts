import type { Clock, Timer } from '@tidemark/ports';

/** A clock that stands still until a test moves it; its wall clock and its monotonic clock show the same time. */
export class ManualClock implements Clock {
  /** The time, ms. Setting it fires no timer. */
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

  /** Moves the time by `durationMs`, then fires the timers that are due, in the order in which they were set. */
  advance(durationMs: number): void {
    this.advanceTo(this.nowMs + durationMs);
  }

  /** Moves the time to `nowMs`. A timer that a fired one sets waits for the next move, even if it is due at once. */
  advanceTo(nowMs: number): void {
    this.nowMs = nowMs;
    for (const timer of [...this.#timers]) {
      // A timer that fired before it may have cancelled it.
      if (timer.atMs <= nowMs && this.#timers.delete(timer)) timer.task();
    }
  }
}
