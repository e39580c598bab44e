import { type Clock, messageOf } from '@tidemark/ports';
import type { Check, CheckSink, LeftOut } from './check.ts';

export interface CheckStatus {
  readonly name: string;
  readonly runs: number;
  readonly failures: number;
  /** Times that it was due while its last run was still in progress. */
  readonly overruns: number;
  readonly running: boolean;
  /** Duration of the last complete run, ms. */
  readonly durationMs: number | undefined;
  /** Error of the last run; absent after a success. */
  readonly error?: string;
  /** Wall time of the first of the failures since the last success, ms; absent after a success. */
  readonly failingSinceMs?: number;
  /** Details that the check reports of its last run. */
  readonly detail?: Readonly<Record<string, string | number>>;
  /** What the check left out since its start. */
  readonly leftOut?: readonly LeftOut[];
}

/** Runs one check, at most once at a time, and counts its runs, failures and overruns. */
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
  #failingSinceMs: number | undefined;

  constructor(check: Check, clock: Clock, onFailure: (error: unknown, inARow: number) => void) {
    this.check = check;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Starts a run, which never rejects; undefined, and counted, while the previous run is in progress. */
  start(sink: CheckSink, signal: AbortSignal): Promise<void> | undefined {
    if (this.#running !== undefined) {
      this.#overruns++;
      return undefined;
    }
    this.#running = this.#run(sink, signal);
    return this.#running;
  }

  /** The run in progress. */
  get running(): Promise<void> | undefined {
    return this.#running;
  }

  status(): CheckStatus {
    const detail = this.check.detail?.();
    const leftOut = this.check.leftOut?.() ?? [];
    return {
      name: this.check.name,
      runs: this.#runs,
      failures: this.#failures,
      overruns: this.#overruns,
      running: this.#running !== undefined,
      durationMs: this.#durationMs,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(this.#failingSinceMs === undefined ? {} : { failingSinceMs: this.#failingSinceMs }),
      ...(detail === undefined ? {} : { detail }),
      ...(leftOut.length === 0 ? {} : { leftOut }),
    };
  }

  async #run(sink: CheckSink, signal: AbortSignal): Promise<void> {
    const startMs = this.#clock.monotonicMs();
    this.#runs++;
    try {
      await this.check.run(sink, signal);
      this.#failuresInARow = 0;
      this.#error = undefined;
      this.#failingSinceMs = undefined;
    } catch (error) {
      // A run that was aborted has not failed.
      if (!signal.aborted) this.#failed(error);
    }
    this.#durationMs = this.#clock.monotonicMs() - startMs;
    this.#running = undefined;
  }

  #failed(error: unknown): void {
    this.#failures++;
    this.#failuresInARow++;
    this.#error = messageOf(error);
    this.#failingSinceMs ??= Math.floor(this.#clock.wallMs());
    this.#onFailure(error, this.#failuresInARow);
  }
}
