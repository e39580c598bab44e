import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { LATE_THREAD_MS, LATE_THREAD_NOTED_MS, THREAD_FAULT_MS, THREAD_START_MS } from '@tidemark/model/thread-delay';
import type { Clock, Timer } from '@tidemark/ports';

/** How late the timers of a thread fired, ms, because something kept its event loop busy. */
export interface LoopDelay {
  /** The longest delay and the 99th percentile of the last whole window of 10 s. */
  readonly windowMaxMs: number;
  readonly windowP99Ms: number;
  /** The same since the start, and when the longest delay ended, ms since the Unix epoch; 0 before any. */
  readonly maxMs: number;
  readonly p99Ms: number;
  readonly maxAtMs: number;
  /**
   * The longest delay of more than `LATE_THREAD_MS` (`THREAD_FAULT_MS` in the first `THREAD_START_MS`) that ended within the
   * last `LATE_THREAD_NOTED_MS`, and when it ended; undefined when there was none.
   */
  readonly lateMs: number | undefined;
  readonly lateAtMs: number | undefined;
}

/** Time between two measurements, ms: a delay can be missed by as much. */
const PROBE_MS = 20;
const WINDOW_MS = 10_000;
const US_PER_MS = 1000;
/** Highest delay that is recorded, µs: an hour. */
const MAX_US = 3_600_000_000;

/** Measures the delay of the event loop of this thread by a timer, from `start` on. */
export class LoopMonitor {
  readonly #clock: Clock;
  readonly #all = delays();
  #window = delays();
  #windowEndsMs = 0;
  /** Until when the thread is starting, monotonic ms. */
  #startedMs = 0;
  #delay: Omit<LoopDelay, 'lateMs' | 'lateAtMs'> = { windowMaxMs: 0, windowP99Ms: 0, maxMs: 0, p99Ms: 0, maxAtMs: 0 };
  /**
   * The delays that are or may become the longest one that is named: each is later and shorter than the one before it.
   * There are at most `LATE_THREAD_NOTED_MS / LATE_THREAD_MS`, because each took longer than `LATE_THREAD_MS`.
   */
  #late: { readonly lateMs: number; readonly lateAtMs: number; readonly endedMs: number }[] = [];
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get delay(): LoopDelay {
    const { p99Ms, ...delay } = this.#delay;
    this.#forgetLate();
    const { lateMs, lateAtMs } = this.#late[0] ?? {};
    return {
      ...{ ...delay, lateMs, lateAtMs },
      p99Ms: this.#all.count === 0 ? p99Ms : rounded(this.#all.percentile(99) / US_PER_MS),
    };
  }

  start(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#windowEndsMs = nowMs + WINDOW_MS;
    this.#startedMs = nowMs + THREAD_START_MS;
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    const dueMs = this.#clock.monotonicMs() + PROBE_MS;
    this.#timer = this.#clock.setTimer(PROBE_MS, () => {
      this.#record(Math.max(0, this.#clock.monotonicMs() - dueMs));
      this.#arm();
    });
  }

  #record(delayMs: number): void {
    const us = Math.min(MAX_US, Math.max(1, Math.round(delayMs * US_PER_MS)));
    this.#all.record(us);
    this.#window.record(us);
    const nowMs = Math.floor(this.#clock.wallMs());
    if (delayMs > this.#delay.maxMs) this.#delay = { ...this.#delay, maxMs: rounded(delayMs), maxAtMs: nowMs };
    const monotonicMs = this.#clock.monotonicMs();
    const reportedMs = monotonicMs < this.#startedMs ? THREAD_FAULT_MS : LATE_THREAD_MS;
    if (delayMs > reportedMs) this.#noteLate(rounded(delayMs), nowMs);
    if (monotonicMs < this.#windowEndsMs) return;
    const [windowMaxMs, windowP99Ms] = [this.#window.max, this.#window.percentile(99)].map((t) =>
      rounded(t / US_PER_MS),
    );
    this.#delay = { ...this.#delay, windowMaxMs, windowP99Ms };
    this.#window = delays();
    this.#windowEndsMs = monotonicMs + WINDOW_MS;
  }

  #noteLate(lateMs: number, lateAtMs: number): void {
    this.#forgetLate();
    this.#late = this.#late.filter((one) => one.lateMs > lateMs);
    this.#late.push({ lateMs, lateAtMs, endedMs: this.#clock.monotonicMs() });
  }

  #forgetLate(): void {
    const fromMs = this.#clock.monotonicMs() - LATE_THREAD_NOTED_MS;
    while (this.#late.length > 0 && this.#late[0].endedMs < fromMs) this.#late.shift();
  }
}

function delays(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: MAX_US, figures: 2 });
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}
