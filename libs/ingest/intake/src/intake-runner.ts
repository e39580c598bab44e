import type { ControlFollower } from '@tidemark/control-log';
import { type Clock, isTidemarkError, sleep } from '@tidemark/ports';
import type { AcceptClock } from './accept-clock.ts';
import { ClientRegister } from './client-register.ts';
import { type IntakeOptions, IntakeSession } from './intake-session.ts';

const RESTART_MS = 1000;
const CLOCK_CHECK_MS = 2000;

export interface IntakeRunnerOptions extends Omit<IntakeOptions, 'onEnded' | 'acceptClock' | 'clients'> {
  /** Creates the clock of a session: a new one for each session. */
  readonly acceptClock: () => AcceptClock;
  /** Creates a session. Tests replace it to watch sessions from within. */
  readonly newSession?: (options: IntakeOptions) => IntakeSession;
}

/** Events of an intake, for the log of the process. */
export interface IntakeEvents {
  readonly info: (message: string) => void;
  readonly error: (message: string, detail: Readonly<Record<string, unknown>>) => void;
  /** Reports that the intake cannot continue: the process should end and be restarted. */
  readonly fatal: (error: Error) => void;
}

/**
 * Keeps an intake session running. When a session ends by itself, or the wall clock jumped away from it (the machine
 * was suspended, time was set), the next one begins under a new id and reads the clock again.
 */
export class IntakeRunner {
  readonly #options: IntakeRunnerOptions;
  readonly #events: IntakeEvents;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  /** Connected and recently lost clients, across all sessions. */
  readonly clients: ClientRegister;
  #session: IntakeSession | undefined;
  /** The session that is registering. */
  #starting: IntakeSession | undefined;
  #restarting: Promise<void> = Promise.resolve();

  constructor(options: IntakeRunnerOptions, events: IntakeEvents) {
    this.#options = options;
    this.#events = events;
    this.#clock = options.clock;
    this.clients = new ClientRegister(options.clock);
  }

  /** The session that accepts points now. */
  get session(): IntakeSession | undefined {
    return this.#session;
  }

  get control(): ControlFollower {
    return this.#options.control;
  }

  async start(): Promise<void> {
    await this.#begin();
  }

  /** Drains and closes the session, after a restart in progress has ended. */
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
        else this.#events.error(`the intake can't append to points/${partition} and retries`, { reason });
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
      // The session may be registered nevertheless. It is then fenced when its lease ends.
      await session.close();
      if (this.#stop.signal.aborted && isTidemarkError(error)) return;
      throw error;
    } finally {
      this.#starting = undefined;
    }
    if (this.#stop.signal.aborted) return session.close();
    if (endedEarly !== undefined) {
      // The session was fenced before it learned that it is registered.
      this.#events.error('the intake session ended', { reason: endedEarly });
      await session.close();
      return this.#begin();
    }
    this.#session = session;
    void this.#watchClock(session);
  }

  /** Replaces a session whose clock is off at two checks in a row. A session keeps the clock with which it began. */
  async #watchClock(session: IntakeSession): Promise<void> {
    let wasOff = false;
    while (this.#session === session && !this.#stop.signal.aborted) {
      await sleep(this.#clock, CLOCK_CHECK_MS, this.#stop.signal);
      if (wasOff && session.isClockOff) this.#restart(session, session.problem ?? 'the clock is off');
      wasOff = session.isClockOff;
    }
  }

  /** Replaces a session by another one, once. A second call has no effect. */
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
        this.#events.error('the intake cannot start', { reason: error.message });
        await sleep(this.#clock, RESTART_MS, this.#stop.signal);
      }
    }
  }
}
