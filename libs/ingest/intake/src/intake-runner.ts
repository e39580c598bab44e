import type { ControlFollower } from '@tidemark/control-log';
import { type Clock, isTidemarkError, sleep } from '@tidemark/ports';
import type { AcceptClock } from './accept-clock.ts';
import { ClientRegister } from './client-register.ts';
import { type IntakeOptions, IntakeSession } from './intake-session.ts';

const RESTART_MS = 1000;
const CLOCK_LOOK_MS = 2000;

export interface IntakeRunnerOptions extends Omit<IntakeOptions, 'onEnded' | 'acceptClock' | 'clients'> {
  /** A session's clock: a new one for each session. */
  readonly acceptClock: () => AcceptClock;
  /** What a session is made with: for those who watch sessions from within, as the simulator does. */
  readonly newSession?: (options: IntakeOptions) => IntakeSession;
}

/** What happens to an intake, for whoever logs it. */
export interface IntakeEvents {
  readonly info: (message: string) => void;
  readonly error: (message: string, detail: Readonly<Record<string, unknown>>) => void;
  /** It can't go on: the process should end, and be started again. */
  readonly fatal: (error: Error) => void;
}

/**
 * Keeps an intake session running: when one ends by itself, or the wall clock jumped away from it (a laptop slept, time
 * was set), the next begins under a new id and reads the clock anew.
 */
export class IntakeRunner {
  readonly #options: IntakeRunnerOptions;
  readonly #events: IntakeEvents;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  /** Who is connected, and who was lost lately, whatever becomes of sessions. */
  readonly clients: ClientRegister;
  #session: IntakeSession | undefined;
  /** It registers. */
  #starting: IntakeSession | undefined;
  #restarting: Promise<void> = Promise.resolve();

  constructor(options: IntakeRunnerOptions, events: IntakeEvents) {
    this.#options = options;
    this.#events = events;
    this.#clock = options.clock;
    this.clients = new ClientRegister(options.clock);
  }

  /** The session that takes points now. */
  get session(): IntakeSession | undefined {
    return this.#session;
  }

  get control(): ControlFollower {
    return this.#options.control;
  }

  async start(): Promise<void> {
    await this.#begin();
  }

  /** Drains and closes the session; a restart that is under way ends first. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#starting?.close();
    await this.#restarting;
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
  }

  async #begin(): Promise<void> {
    let endedEarly: string | undefined;
    const { acceptClock, newSession = (options) => new IntakeSession(options), ...options } = this.#options;
    const session: IntakeSession = newSession({
      ...options,
      clients: this.clients,
      acceptClock: acceptClock(),
      onLaneEnded: (partition, reason) =>
        this.#events.error(`the intake can't append to points/${partition}`, { reason }),
      onLaneStalled: (partition, reason) => {
        if (reason === undefined) this.#events.info(`the intake appends to points/${partition} again`);
        else this.#events.error(`the intake can't append to points/${partition}, and tries again`, { reason });
      },
      onEnded: (reason) => {
        if (this.#session === session) this.#restart(session, reason);
        else endedEarly = reason;
      },
    });
    if (this.#stop.signal.aborted) return;
    this.#starting = session;
    try {
      await session.start();
    } catch (error) {
      // It may be registered nevertheless: what is left of it is fenced when its lease ends.
      await session.close();
      if (this.#stop.signal.aborted && isTidemarkError(error)) return;
      throw error;
    } finally {
      this.#starting = undefined;
    }
    if (this.#stop.signal.aborted) return session.close();
    if (endedEarly !== undefined) {
      // Fenced before it had heard that it is registered.
      this.#events.error('the intake session ended', { reason: endedEarly });
      await session.close();
      return this.#begin();
    }
    this.#session = session;
    void this.#watchClock(session);
  }

  /** A session runs by the clock as it was when it began; one that is off for two looks makes place for another. */
  async #watchClock(session: IntakeSession): Promise<void> {
    let wasOff = false;
    while (this.#session === session && !this.#stop.signal.aborted) {
      await sleep(this.#clock, CLOCK_LOOK_MS, this.#stop.signal);
      if (wasOff && session.isClockOff) this.#restart(session, session.problem ?? 'the clock is off');
      wasOff = session.isClockOff;
    }
  }

  /** Puts another session in the place of this one, once; whoever comes second finds it gone. */
  #restart(ended: IntakeSession, reason: string): void {
    if (this.#session !== ended || this.#stop.signal.aborted) return;
    this.#session = undefined;
    this.#restarting = this.#replace(ended, reason).catch((error: unknown) => {
      this.#events.fatal(error instanceof Error ? error : new Error(String(error)));
    });
  }

  async #replace(ended: IntakeSession, reason: string): Promise<void> {
    this.#events.error('the intake session ended', { reason });
    await ended.close();
    while (!this.#stop.signal.aborted && this.#session === undefined) {
      try {
        await this.#begin();
      } catch (error) {
        if (!isTidemarkError(error)) throw error;
        this.#events.error('the intake can not start', { reason: error.message });
        await sleep(this.#clock, RESTART_MS, this.#stop.signal);
      }
    }
  }
}
