import { type Clock, sleep, type Timer } from '@tidemark/ports';
import type { Check, CheckSink } from './check.ts';
import { CheckRun, type CheckStatus } from './check-run.ts';

export interface CheckRunnerOptions {
  readonly clock: Clock;
  readonly checks: readonly Check[];
  readonly sink: CheckSink;
  /** For a check with a phase: a sink for what is read from this moment of the wall clock on. Default: `sink`. */
  readonly sinkAt?: (wallMs: number) => CheckSink;
  /** First wait after a failure, doubled by each further one, ms. Default 1,000. */
  readonly firstBackoffMs?: number;
  /** Longest wait after failures, ms. Default 60,000. */
  readonly longestBackoffMs?: number;
  /** Told of each failure, for a log; of a check with a phase, of the first, second, fourth … in a row. */
  readonly onFailure?: (check: string, error: unknown) => void;
}

/** How long a stop waits for runs that were told to end, and for connections to close. */
const STOP_MS = 2_000;

/** Runs checks when they are due, each by itself: one that fails, hangs or is slow keeps no other from running. */
export class CheckRunner {
  readonly #options: CheckRunnerOptions;
  readonly #atFlush: AtFlush[] = [];
  readonly #byTimer: ByTimer[] = [];
  readonly #all: (AtFlush | ByTimer)[];
  readonly #stopping = new AbortController();

  constructor(options: CheckRunnerOptions) {
    this.#options = options;
    this.#all = options.checks.map((check) => {
      const { phaseMs } = check;
      if (phaseMs === undefined) {
        const scheduled = new AtFlush(check, options, this.#stopping.signal);
        this.#atFlush.push(scheduled);
        return scheduled;
      }
      const scheduled = new ByTimer(check, phaseMs, options, this.#stopping.signal);
      this.#byTimer.push(scheduled);
      return scheduled;
    });
  }

  /** Sets the timers of checks with a phase. */
  start(): void {
    for (const scheduled of this.#byTimer) scheduled.schedule();
  }

  /**
   * Starts what is due at a flush; resolves when it is done, or after `waitMs` at the latest (what isn't done goes on).
   */
  async run(waitMs: number): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    const runs = this.#atFlush.flatMap((scheduled) => scheduled.startIfDue(nowMs) ?? []);
    if (runs.length > 0) await this.#atMost(waitMs, Promise.all(runs));
  }

  /** Ends the runs under way, starts none any more, and lets checks close what they have open. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const scheduled of this.#byTimer) scheduled.cancel();
    await this.#atMost(STOP_MS, Promise.all(this.#byTimer.map(({ run }) => run.running)));
    const closing = this.#all.map(async ({ run }) => run.check.close?.());
    await this.#atMost(STOP_MS, Promise.allSettled(closing));
  }

  status(): CheckStatus[] {
    return this.#all.map(({ run }) => run.status());
  }

  async #atMost(waitMs: number, work: Promise<unknown>): Promise<void> {
    const done = new AbortController();
    await Promise.race([work, sleep(this.#options.clock, waitMs, done.signal)]);
    done.abort();
  }
}

/** A little slack, so that a timer that fires a hair early doesn't skip a run. */
const EARLY_MS = 5;

/** A check that runs at flushes, and more and more rarely while it fails. */
class AtFlush {
  readonly run: CheckRun;
  readonly #everyMs: number;
  readonly #sink: CheckSink;
  readonly #signal: AbortSignal;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(check: Check, options: CheckRunnerOptions, signal: AbortSignal) {
    const { clock, firstBackoffMs = 1_000, longestBackoffMs = 60_000, onFailure } = options;
    this.#everyMs = check.everyMs ?? 0;
    this.#sink = options.sink;
    this.#signal = signal;
    this.run = new CheckRun(check, clock, (error, inARow) => {
      const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (inARow - 1));
      this.#notBeforeMs = Math.max(this.#notBeforeMs, clock.monotonicMs() + backoffMs);
      onFailure?.(check.name, error);
    });
  }

  /** The run that was started, which never rejects; undefined when it isn't due. */
  startIfDue(nowMs: number): Promise<void> | undefined {
    if (nowMs + EARLY_MS < this.#notBeforeMs) return undefined;
    if (this.run.running === undefined) this.#notBeforeMs = nowMs + this.#everyMs;
    return this.run.start(this.#sink, this.#signal);
  }
}

/** A check with a phase: it runs by its own timer, at its own pace, whether it fails or not. */
class ByTimer {
  readonly run: CheckRun;
  readonly #everyMs: number;
  readonly #phaseMs: number;
  readonly #options: CheckRunnerOptions;
  readonly #signal: AbortSignal;
  #timer: Timer | undefined;
  #turn: number;

  constructor(check: Check, phaseMs: number, options: CheckRunnerOptions, signal: AbortSignal) {
    this.#everyMs = Math.max(1, check.everyMs ?? 0);
    this.#phaseMs = phaseMs;
    this.#options = options;
    this.#signal = signal;
    this.#turn = this.#turnAt(options.clock.wallMs());
    this.run = new CheckRun(check, options.clock, (error, inARow) => {
      if (Number.isInteger(Math.log2(inARow))) options.onFailure?.(check.name, error);
    });
  }

  schedule(): void {
    if (this.#signal.aborted) return;
    const wallMs = this.#options.clock.wallMs();
    const dueMs = (this.#turnAt(wallMs) + 1) * this.#everyMs + this.#phaseMs;
    this.#timer = this.#options.clock.setTimer(Math.max(1, dueMs - wallMs), () => this.#due());
  }

  cancel(): void {
    this.#timer?.cancel();
  }

  #due(): void {
    const wallMs = this.#options.clock.wallMs();
    const turn = this.#turnAt(wallMs);
    // A clock set back by a moment must not take a turn twice.
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.run.start(this.#options.sinkAt?.(wallMs) ?? this.#options.sink, this.#signal);
    }
    this.schedule();
  }

  #turnAt(wallMs: number): number {
    return Math.floor((wallMs + EARLY_MS - this.#phaseMs) / this.#everyMs);
  }
}
