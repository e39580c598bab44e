import { derivedFlushIntervalMs, maxFlushIntervalMs } from '@tidemark/model';
import type { Clock, Timer } from '@tidemark/ports';
import type { ClientOptions } from './options.ts';

/** Until a greeting names D, the client assumes the default of the platform, 3 s. */
const ASSUMED_LATENESS_MS = 3000;

/** What a schedule does with the client. */
export interface FlushScheduleActions {
  /** Cuts what was gathered. Must not throw. */
  flush(): void;
  /** Called with the interval of the next flushes, after a flush if values were gathered under another one. */
  onInterval(intervalMs: number): void;
  /** Called when the interval that the program chose does not fit into D. */
  onTooLong(intervalMs: number, latenessMs: number): void;
}

/**
 * When a client flushes: on multiples of its interval. The interval is the program's own, or fits into the lateness bound
 * (D) of the intake's greeting.
 */
export class FlushSchedule {
  readonly #clock: Clock;
  readonly #actions: FlushScheduleActions;
  /** The interval that the program chose, and at which it flushes by itself when the schedule does not; if known. */
  readonly chosenMs: number | undefined;
  readonly #isDerived: boolean;
  #intervalMs: number;
  #latenessMs: number | undefined;
  #timer: Timer | undefined;
  #isRunning = false;

  constructor(
    clock: Clock,
    options: Pick<ClientOptions, 'flushIntervalMs' | 'handFlushIntervalMs'>,
    actions: FlushScheduleActions,
  ) {
    const { flushIntervalMs, handFlushIntervalMs } = options;
    this.#clock = clock;
    this.#actions = actions;
    this.#isDerived = flushIntervalMs === undefined;
    this.#intervalMs = flushIntervalMs ?? derivedFlushIntervalMs(ASSUMED_LATENESS_MS);
    this.chosenMs = flushIntervalMs === 0 ? handFlushIntervalMs : flushIntervalMs;
  }

  /** Time between two flushes, ms; 0: by hand only. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** True when the interval follows D. */
  get isDerived(): boolean {
    return this.#isDerived;
  }

  /** D of the last greeting, ms; undefined before one named it. */
  get latenessMs(): number | undefined {
    return this.#latenessMs;
  }

  start(): void {
    this.#isRunning = true;
    this.#schedule();
  }

  stop(): void {
    this.#isRunning = false;
    this.#timer?.cancel();
  }

  /** Fits the interval into D, as a greeting names it. */
  fit(latenessMs: number): void {
    this.#latenessMs = latenessMs;
    if (!this.#isDerived) {
      const { chosenMs } = this;
      if (chosenMs !== undefined && chosenMs > maxFlushIntervalMs(latenessMs)) {
        this.#actions.onTooLong(chosenMs, latenessMs);
      }
      return;
    }
    const intervalMs = derivedFlushIntervalMs(latenessMs);
    if (intervalMs === this.#intervalMs || !this.#isRunning) return;
    this.#actions.flush();
    this.#intervalMs = intervalMs;
    this.#actions.onInterval(intervalMs);
    this.#timer?.cancel();
    this.#schedule();
  }

  #schedule(): void {
    if (this.#intervalMs === 0 || !this.#isRunning) return;
    const delayMs = this.#intervalMs - (this.#clock.wallMs() % this.#intervalMs);
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#actions.flush();
      this.#schedule();
    });
  }
}
