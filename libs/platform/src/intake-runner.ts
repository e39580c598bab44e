import type { ControlFollower } from '@tidemark/control';
import { type AcceptClock, type IntakeOptions, IntakeSession } from '@tidemark/intake';
import { type Clock, isTidemarkError, sleep } from '@tidemark/ports';
import type { PlatformEvents } from './platform-options.ts';

const RESTART_MS = 1000;
const CLOCK_LOOK_MS = 2000;

export interface IntakeRunnerOptions extends Omit<IntakeOptions, 'onEnded' | 'acceptClock'> {
  /** A session's clock: a new one for each session. */
  readonly acceptClock: () => AcceptClock;
}

/**
 * Keeps an intake session running: when one ends by itself, or the wall clock jumped away from it (a laptop slept, time
 * was set), the next begins under a new id and reads the clock anew.
 */
export class IntakeRunner {
  readonly #options: IntakeRunnerOptions;
  readonly #events: PlatformEvents;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #session: IntakeSession | undefined;

  constructor(options: IntakeRunnerOptions, events: PlatformEvents) {
    this.#options = options;
    this.#events = events;
    this.#clock = options.clock;
  }

  /** The session that takes points now. */
  get session(): IntakeSession | undefined {
    return this.#session;
  }

  get control(): ControlFollower {
    return this.#options.control;
  }

  async start(): Promise<void> {
    let endedEarly: string | undefined;
    const session = new IntakeSession({
      ...this.#options,
      acceptClock: this.#options.acceptClock(),
      onLaneEnded: (partition, reason) =>
        this.#events.error(`the intake can't append to points/${partition}`, { reason }),
      onEnded: (reason) => {
        if (this.#session === session) void this.#restart(session, reason);
        else endedEarly = reason;
      },
    });
    await session.start();
    // Fenced before it had heard that it is registered.
    if (endedEarly !== undefined) return this.#restart(session, endedEarly);
    this.#session = session;
    void this.#watchClock(session);
  }

  /** Drains and closes the session. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
  }

  /** A session runs by the clock as it was when it began; one that is off for two looks makes place for another. */
  async #watchClock(session: IntakeSession): Promise<void> {
    let wasOff = false;
    while (this.#session === session && !this.#stop.signal.aborted) {
      await sleep(this.#clock, CLOCK_LOOK_MS, this.#stop.signal);
      if (this.#session === session && wasOff && session.isClockOff) {
        return this.#restart(session, session.problem ?? 'the clock is off');
      }
      wasOff = session.isClockOff;
    }
  }

  async #restart(ended: IntakeSession, reason: string): Promise<void> {
    this.#events.error('the intake session ended', { reason });
    if (this.#session === ended) this.#session = undefined;
    await ended.close();
    while (!this.#stop.signal.aborted && this.#session === undefined) {
      try {
        await this.start();
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        this.#events.error('the intake can not start', { reason: error.message });
        await sleep(this.#clock, RESTART_MS, this.#stop.signal);
      }
    }
  }
}
