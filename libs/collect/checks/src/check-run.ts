import { type Clock, messageOf } from '@tidemark/ports';
import type { Check, CheckSink } from './check.ts';

export interface CheckStatus {
  readonly name: string;
  readonly runs: number;
  readonly failures: number;
  /** Times it was due while its last run was still under way. */
  readonly overruns: number;
  readonly running: boolean;
  /** How long the newest whole run took. */
  readonly durationMs: number | undefined;
  /** What the newest run failed with; absent after a success. */
  readonly error?: string;
  /** What the check says of its newest run. */
  readonly detail?: Readonly<Record<string, string | number>>;
}

/** Runs one check, never twice at a time, and counts. */
export class CheckRun {
  readonly check: Check;
  readonly #clock: Clock;
  readonly #onFailure: (error: unknown, inARow: number) => void;
  #running: Promise<void> | undefined;
  #runs = 0;
  #failures = 0;
  #failuresInARow = 0;
  #overruns = 0;
  #durationMs: number | undefined;
  #error: string | undefined;

  constructor(check: Check, clock: Clock, onFailure: (error: unknown, inARow: number) => void) {
    this.check = check;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Starts a run, which never rejects; undefined, and counted, when the one before is under way still. */
  start(sink: CheckSink, signal: AbortSignal): Promise<void> | undefined {
    if (this.#running !== undefined) {
      this.#overruns++;
      return undefined;
    }
    this.#running = this.#run(sink, signal);
    return this.#running;
  }

  /** The run under way. */
  get running(): Promise<void> | undefined {
    return this.#running;
  }

  status(): CheckStatus {
    const detail = this.check.detail?.();
    return {
      name: this.check.name,
      runs: this.#runs,
      failures: this.#failures,
      overruns: this.#overruns,
      running: this.#running !== undefined,
      durationMs: this.#durationMs,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(detail === undefined ? {} : { detail }),
    };
  }

  async #run(sink: CheckSink, signal: AbortSignal): Promise<void> {
    const startMs = this.#clock.monotonicMs();
    this.#runs++;
    try {
      await this.check.run(sink, signal);
      this.#failuresInARow = 0;
      this.#error = undefined;
    } catch (error) {
      // One that was told to stop has not failed.
      if (!signal.aborted) this.#failed(error);
    }
    this.#durationMs = this.#clock.monotonicMs() - startMs;
    this.#running = undefined;
  }

  #failed(error: unknown): void {
    this.#failures++;
    this.#failuresInARow++;
    this.#error = messageOf(error);
    this.#onFailure(error, this.#failuresInARow);
  }
}
