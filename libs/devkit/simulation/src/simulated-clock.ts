import { setImmediate } from 'node:timers';
import { AssertionError, type Clock, type Random, TidemarkError, type Timer } from '@tidemark/ports';
import type { Incarnation } from './incarnation.ts';
import { TimerQueue } from './timer-queue.ts';

/** Timers that may fire without time moving on, before it counts as a loop. */
const MAX_TIMERS_AT_ONE_TIME = 100_000;

export interface SimulatedClockOptions {
  /** Wall clock at the start, ms since the Unix epoch; default 2026-01-01. */
  readonly startWallMs?: number;
  /** Draws the order of timers of one time; without it they fire in the order they were set. */
  readonly shuffle?: Random;
}

/**
 * Virtual time, true for the whole world; `nodeClock` gives what one machine takes for it. Time stands still while code
 * runs, and goes on to the next timer when all of it waits.
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

  /** Milliseconds since the start of the simulation. */
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
   * Holds time until `work` is settled: for what is really asynchronous (compression in a thread, a real file), which
   * the simulation can't see waiting. Whatever it holds for must not depend on other such work for its order.
   */
  hold<T>(work: Promise<T>): Promise<T> {
    this.#held++;
    return work.finally(() => {
      this.#held--;
    });
  }

  /** Runs until `until` is true. `deadline_exceeded` after `deadlineMs` of virtual time, or when no timer is left. */
  async run(until: () => boolean, deadlineMs: number): Promise<void> {
    const endMs = this.#nowMs + deadlineMs;
    for (;;) {
      await this.#settle();
      if (until()) return;
      const next = this.#timers.peek();
      if (next === undefined) throw new TidemarkError('deadline_exceeded', 'everything waits and no timer is set');
      if (next.atMs > endMs) {
        this.#moveTo(endMs);
        throw new TidemarkError('deadline_exceeded', `not reached in ${deadlineMs} ms of virtual time`, { deadlineMs });
      }
      this.#fireNext();
    }
  }

  /** Lets `durationMs` of virtual time pass. */
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

  /** The clock of one machine. */
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
   * Waits until no promise has anything left to do. Node runs all microtasks, those that microtasks add too, before the
   * next immediate, so one immediate is enough however long a chain is.
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
  /** By how much the wall clock is ahead at the start, ms; default 0. */
  readonly skewMs?: number;
  /** By which share the clock runs fast (0.001: 1 ms a second) or slow, above -1; default 0. */
  readonly drift?: number;
}

/** What one machine takes for the time. */
export class NodeClock implements Clock {
  readonly #world: SimulatedClock;
  readonly #rate: number;
  readonly #startWallMs: number;
  readonly #startMs: number;
  #offsetMs: number;

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
    return (this.#world.monotonicMs() - this.#startMs) * this.#rate;
  }

  setTimer(delayMs: number, task: () => void): Timer {
    return this.#world.setTimer(delayMs / this.#rate, task);
  }

  /** Sets the wall clock by `byMs`, back or forth; the monotonic one and timers don't notice. */
  jump(byMs: number): void {
    this.#offsetMs += byMs;
  }

  /** This clock for one process: its timers end with it, and time stands still for what is left of it. */
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
