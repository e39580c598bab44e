import type { ControlFollower } from '@tidemark/control';
import { type IntakeOptions, IntakeSession } from '@tidemark/intake';
import { type Clock, isTidemarkError, sleep } from '@tidemark/ports';
import type { PlatformEvents } from './platform-options.ts';

const RESTART_MS = 1000;

/** Keeps an intake session running: when one ends by itself, the next begins under a new id. */
export class IntakeRunner {
  readonly #options: Omit<IntakeOptions, 'onEnded'>;
  readonly #events: PlatformEvents;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  #session: IntakeSession | undefined;

  constructor(options: Omit<IntakeOptions, 'onEnded'>, events: PlatformEvents) {
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
    const session = new IntakeSession({ ...this.#options, onEnded: (reason) => void this.#restart(session, reason) });
    await session.start();
    this.#session = session;
  }

  /** Drains and closes the session. */
  async stop(): Promise<void> {
    this.#stop.abort();
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
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
