import { type Clock, sleep } from '@tidemark/ports';
import type { Check, CheckSink } from './check.ts';

export interface CheckRunnerOptions {
  readonly clock: Clock;
  readonly checks: readonly Check[];
  readonly sink: CheckSink;
  /** First wait after a failure, doubled by each further one, ms. Default 1,000. */
  readonly firstBackoffMs?: number;
  /** Longest wait after failures, ms. Default 60,000. */
  readonly longestBackoffMs?: number;
  /** Told of each failure, for a log. */
  readonly onFailure?: (check: string, error: unknown) => void;
}

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
}

/** Runs checks when they are due, each by itself: one that fails, hangs or is slow keeps no other from running. */
export class CheckRunner {
  readonly #scheduled: Scheduled[];
  readonly #clock: Clock;

  constructor(options: CheckRunnerOptions) {
    this.#clock = options.clock;
    this.#scheduled = options.checks.map((check) => new Scheduled(check, options));
  }

  /** Starts what is due; resolves when it is done, or after `waitMs` at the latest (what isn't done goes on). */
  async run(waitMs: number): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    const runs = this.#scheduled.flatMap((scheduled) => scheduled.startIfDue(nowMs) ?? []);
    if (runs.length === 0) return;
    const stop = new AbortController();
    await Promise.race([Promise.all(runs), sleep(this.#clock, waitMs, stop.signal)]);
    stop.abort();
  }

  status(): CheckStatus[] {
    return this.#scheduled.map((scheduled) => scheduled.status());
  }
}

/** A little slack, so that a timer that fires a hair early doesn't skip a run. */
const EARLY_MS = 5;

class Scheduled {
  readonly #check: Check;
  readonly #options: CheckRunnerOptions;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #running = false;
  #runs = 0;
  #failures = 0;
  #failuresInARow = 0;
  #overruns = 0;
  #durationMs: number | undefined;
  #error: string | undefined;

  constructor(check: Check, options: CheckRunnerOptions) {
    this.#check = check;
    this.#options = options;
  }

  /** The run that was started, which never rejects; undefined when it isn't due. */
  startIfDue(nowMs: number): Promise<void> | undefined {
    if (nowMs + EARLY_MS < this.#notBeforeMs) return undefined;
    if (this.#running) {
      this.#overruns++;
      return undefined;
    }
    this.#notBeforeMs = nowMs + (this.#check.everyMs ?? 0);
    return this.#run(nowMs);
  }

  status(): CheckStatus {
    return {
      name: this.#check.name,
      runs: this.#runs,
      failures: this.#failures,
      overruns: this.#overruns,
      running: this.#running,
      durationMs: this.#durationMs,
      ...(this.#error === undefined ? {} : { error: this.#error }),
    };
  }

  async #run(startMs: number): Promise<void> {
    const { clock, sink, firstBackoffMs = 1_000, longestBackoffMs = 60_000, onFailure } = this.#options;
    this.#running = true;
    this.#runs++;
    try {
      await this.#check.run(sink);
      this.#failuresInARow = 0;
      this.#error = undefined;
    } catch (error) {
      this.#failures++;
      this.#error = error instanceof Error ? error.message : String(error);
      const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** this.#failuresInARow);
      this.#failuresInARow++;
      this.#notBeforeMs = Math.max(this.#notBeforeMs, clock.monotonicMs() + backoffMs);
      onFailure?.(this.#check.name, error);
    }
    this.#durationMs = clock.monotonicMs() - startMs;
    this.#running = false;
  }
}
