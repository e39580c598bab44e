import type { Clock, Events, Timer } from '@tidemark/ports';

/** When a start is first reported, and the time between later reports, ms. */
const FIRST_MS = 5000;
const NEXT_MS = 10_000;

/** Reports what a start that takes long is doing: first after 5 s, then every 10 s, until it is stopped. */
export class StartProgress {
  readonly #clock: Clock;
  readonly #events: Pick<Events, 'info'>;
  readonly #beganMs: number;
  #step: () => string;
  #timer: Timer;

  constructor(clock: Clock, events: Pick<Events, 'info'>, step: string) {
    this.#clock = clock;
    this.#events = events;
    this.#beganMs = clock.monotonicMs();
    this.#step = () => step;
    this.#timer = clock.setTimer(FIRST_MS, () => this.#report());
  }

  /** Names the next step, as of the time of each report. */
  next(step: () => string): void {
    this.#step = step;
  }

  stop(): void {
    this.#timer.cancel();
  }

  #report(): void {
    const seconds = Math.round((this.#clock.monotonicMs() - this.#beganMs) / 1000);
    this.#events.info(`still starting: ${this.#step()}`, { seconds });
    this.#timer = this.#clock.setTimer(NEXT_MS, () => this.#report());
  }
}
