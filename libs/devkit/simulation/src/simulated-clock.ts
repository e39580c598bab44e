import { setImmediate } from 'node:timers';
import { AssertionError, type Clock, type Random, TidemarkError, type Timer } from '@tidemark/ports';
import type { Incarnation } from './incarnation.ts';
import { TimerQueue } from './timer-queue.ts';

/** Max timers that fire at one time; more are a loop without delay. */
const MAX_TIMERS_AT_ONE_TIME = 100_000;

export interface SimulatedClockOptions {
  /** Wall clock at the start, ms since the Unix epoch. Default 2026-01-01. */
  readonly startWallMs?: number;
  /** Draws the order of timers of one time; without it, they fire in the order in which they were set. */
  readonly shuffle?: Random;
}

/**
 * Virtual time of the whole world; `nodeClock` makes the clock that one machine has. Time does not pass while code
 * runs, and advances to the next timer when all code waits.
 */
export class SimulatedClock implements Clock {
  readonly #startWallMs: number;
  readonly #shuffle: Random | undefined;
  readonly #timers = new TimerQueue();
  #nowMs = 0;
  #order = 0;
  #held = 0;
  #atThisTime = 0;

  constructor(options: SimulatedClockOptions = {}) {
    this.#startWallMs = options.startWallMs ?? 1_767_225_600_000;
    this.#shuffle = options.shuffle;
  }

  wallMs(): number {
    return this.#startWallMs + this.#nowMs;
  }

  /** Returns milliseconds since the start of the simulation. */
  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, task: () => void): Timer {
    const timer = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      tie: this.#shuffle?.next() ?? 0,
      order: this.#order++,
      task,
      cancelled: false,
    };
    this.#timers.push(timer);
    return {
      cancel() {
        timer.cancelled = true;
      },
    };
  }

  /**
   * Holds the time until `work` is settled. Real asynchronous work (compression in a thread, a real file) needs this,
   * because the simulation cannot see that it waits. The order of such works must not depend on each other.
   */
  hold<T>(work: Promise<T>): Promise<T> {
    this.#held++;
    return work.finally(() => {
      this.#held--;
    });
  }

  /** Runs until `until` is true. Throws `deadline_exceeded` after `deadlineMs` of virtual time, or without a timer. */
  async run(until: () => boolean, deadlineMs: number): Promise<void> {
    const endMs = this.#nowMs + deadlineMs;
    for (;;) {
      await this.#settle();
      if (until()) return;
      const next = this.#timers.peek();
      if (next === undefined) throw new TidemarkError('deadline_exceeded', 'all code waits and no timer is set');
      if (next.atMs > endMs) {
        this.#moveTo(endMs);
        throw new TidemarkError(
          'deadline_exceeded',
          `the condition is still false after ${deadlineMs} ms of virtual time`,
          { deadlineMs },
        );
      }
      this.#fireNext();
    }
  }

  /** Advances the virtual time by `durationMs`. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    for (;;) {
      await this.#settle();
      const next = this.#timers.peek();
      if (next === undefined || next.atMs > endMs) break;
      this.#fireNext();
    }
    this.#moveTo(endMs);
  }

  /** Makes the clock of one machine. */
  nodeClock(options: NodeClockOptions = {}): NodeClock {
    return new NodeClock(this, options);
  }

  #fireNext(): void {
    const timer = this.#timers.pop();
    if (timer === undefined) return;
    if (timer.atMs > this.#nowMs) this.#moveTo(timer.atMs);
    else if (++this.#atThisTime > MAX_TIMERS_AT_ONE_TIME) {
      throw new AssertionError(`${MAX_TIMERS_AT_ONE_TIME} timers fired at ${this.#nowMs} ms: a loop without delay`);
    }
    timer.task();
  }

  #moveTo(timeMs: number): void {
    this.#nowMs = timeMs;
    this.#atThisTime = 0;
  }

  /**
   * Waits until no promise job is left. Node runs all microtasks, including those that microtasks add, before the next
   * immediate, so one immediate is enough for a chain of any length.
   */
  async #settle(): Promise<void> {
    do {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    } while (this.#held > 0);
  }
}

export interface NodeClockOptions {
  /** Lead of the wall clock at the start, ms. Default 0. */
  readonly skewMs?: number;
  /** Fraction by which the clock is fast (0.001: 1 ms per second) or slow (negative, above -1). Default 0. */
  readonly drift?: number;
}

/** Shortest delay of a timer, ms. */
const MIN_DELAY_MS = 0.001;

/** The clock of one machine, with skew, drift and jumps. */
export class NodeClock implements Clock {
  readonly #world: SimulatedClock;
  readonly #rate: number;
  readonly #startWallMs: number;
  readonly #startMs: number;
  #offsetMs: number;
  #suspendedMs = 0;

  constructor(world: SimulatedClock, options: NodeClockOptions) {
    this.#world = world;
    this.#rate = 1 + (options.drift ?? 0);
    this.#startWallMs = world.wallMs();
    this.#startMs = world.monotonicMs();
    this.#offsetMs = options.skewMs ?? 0;
  }

  wallMs(): number {
    return this.#startWallMs + this.monotonicMs() + this.#offsetMs;
  }

  monotonicMs(): number {
    return (this.#world.monotonicMs() - this.#startMs) * this.#rate - this.#suspendedMs;
  }

  setTimer(delayMs: number, task: () => void): Timer {
    // A shorter delay may be less than the precision of the world's time, which would then never advance.
    return this.#world.setTimer(delayMs > 0 ? Math.max(MIN_DELAY_MS, delayMs / this.#rate) : delayMs, task);
  }

  /** Moves the wall clock by `byMs`, which may be negative. The monotonic clock and timers do not change. */
  jump(byMs: number): void {
    this.#offsetMs += byMs;
  }

  /**
   * Takes `byMs` of the world's time from the monotonic clock and leaves the wall clock as it is, as after a suspension of the
   * machine. Nothing may have read the monotonic clock meanwhile, since it never goes back. Timers do not change.
   */
  suspended(byMs: number): void {
    const ownMs = byMs * this.#rate;
    this.#suspendedMs += ownMs;
    this.#offsetMs += ownMs;
  }

  /** Makes this clock for one process. Its timers end with it, and its time stops for remaining code of it. */
  bind(incarnation: Incarnation): Clock {
    return new ProcessClock(this, incarnation);
  }
}

class ProcessClock implements Clock {
  readonly #clock: NodeClock;
  readonly #incarnation: Incarnation;
  #endWallMs = 0;
  #endMonotonicMs = 0;

  constructor(clock: NodeClock, incarnation: Incarnation) {
    this.#clock = clock;
    this.#incarnation = incarnation;
    incarnation.atEnd(() => {
      this.#endWallMs = clock.wallMs();
      this.#endMonotonicMs = clock.monotonicMs();
    });
  }

  wallMs(): number {
    return this.#incarnation.alive ? this.#clock.wallMs() : this.#endWallMs;
  }

  monotonicMs(): number {
    return this.#incarnation.alive ? this.#clock.monotonicMs() : this.#endMonotonicMs;
  }

  setTimer(delayMs: number, task: () => void): Timer {
    if (!this.#incarnation.alive) return { cancel: () => undefined };
    return this.#clock.setTimer(delayMs, () => {
      if (this.#incarnation.alive) task();
    });
  }
}
