import { SystemClock } from '@tidemark/node-runtime';
import type { Clock, Timer } from '@tidemark/ports';

/** A wall clock that follows the replayed data. Intervals and timers are real. */
export class DataClock implements Clock {
  readonly #system = new SystemClock();
  #nowMs: number;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  advance(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }

  wallMs(): number {
    return this.#nowMs;
  }

  /** Sets the time for the stamps of batches. */
  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#system.monotonicMs();
  }

  setTimer(delayMs: number, task: () => void): Timer {
    return this.#system.setTimer(delayMs, task);
  }
}
