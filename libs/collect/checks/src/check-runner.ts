import { type Clock, sleep, type Timer } from '@tidemark/ports';
import type { Check, CheckSink } from './check.ts';
import { CheckRun, type CheckStatus } from './check-run.ts';

export interface CheckRunnerOptions {
  readonly clock: Clock;
  readonly checks: readonly Check[];
  /**
   * Makes the sink of a check's readings: of the time `wallMs`, if the check has a phase. It is called once for a check
   * that runs at flushes, and for each run of another one.
   */
  readonly sinkOf: (check: Check, wallMs?: number) => CheckSink;
  /** Wait after the first failure, doubled by each further failure, ms. Default 1,000. */
  readonly initialBackoffMs?: number;
  /** Max wait after failures, ms. Default 60,000. */
  readonly maxBackoffMs?: number;
  /** Called with each failure, for a log. For a check with a phase, with the 1st, 2nd, 4th, 8th … failure in a row. */
  readonly onFailure?: (check: string, error: unknown) => void;
}

/** How long a stop waits for aborted runs to end, and then for connections to close. */
const STOP_MS = 2_000;

/** Runs checks when they are due, each by itself: a failing, hanging or slow check does not delay the others. */
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
   * Starts the checks that are due at a flush. Resolves when they are done, or after `waitMs` at the latest; the
   * unfinished ones continue.
   */
  async run(waitMs: number): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    const runs = this.#atFlush.flatMap((scheduled) => scheduled.startIfDue(nowMs) ?? []);
    if (runs.length > 0) await this.#waitAtMost(waitMs, Promise.all(runs));
  }

  /** Aborts the runs in progress, starts no further ones, and closes the checks' connections. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const scheduled of this.#byTimer) scheduled.cancel();
    await this.#waitAtMost(STOP_MS, Promise.all(this.#byTimer.map(({ run }) => run.running)));
    const closing = this.#all.map(async ({ run }) => run.check.close?.());
    await this.#waitAtMost(STOP_MS, Promise.allSettled(closing));
  }

  status(): CheckStatus[] {
    return this.#all.map(({ run }) => run.status());
  }

  async #waitAtMost(waitMs: number, work: Promise<unknown>): Promise<void> {
    const done = new AbortController();
    await Promise.race([work, sleep(this.#options.clock, waitMs, done.signal)]);
    done.abort();
  }
}

/** Tolerance for a timer that fires slightly early, so that it does not skip a run. */
const EARLY_MS = 5;

/** A check that runs at flushes, and backs off while it fails. */
class AtFlush {
  readonly run: CheckRun;
  readonly #everyMs: number;
  readonly #sink: CheckSink;
  readonly #signal: AbortSignal;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(check: Check, options: CheckRunnerOptions, signal: AbortSignal) {
    const { clock, initialBackoffMs = 1_000, maxBackoffMs = 60_000, onFailure } = options;
    this.#everyMs = check.everyMs ?? 0;
    this.#sink = options.sinkOf(check);
    this.#signal = signal;
    this.run = new CheckRun(check, clock, (error, inARow) => {
      const backoffMs = Math.min(maxBackoffMs, initialBackoffMs * 2 ** (inARow - 1));
      this.#notBeforeMs = Math.max(this.#notBeforeMs, clock.monotonicMs() + backoffMs);
      onFailure?.(check.name, error);
    });
  }

  /** Starts a run, which never rejects; undefined when none is due. */
  startIfDue(nowMs: number): Promise<void> | undefined {
    if (nowMs + EARLY_MS < this.#notBeforeMs) return undefined;
    if (this.run.running === undefined) this.#notBeforeMs = nowMs + this.#everyMs;
    return this.run.start(this.#sink, this.#signal);
  }
}

/** A check with a phase. It runs by its own timer at a fixed interval, also while it fails. */
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
    // A clock that was set back slightly must not run a turn twice.
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.run.start(this.#options.sinkOf(this.run.check, wallMs), this.#signal);
    }
    this.schedule();
  }

  #turnAt(wallMs: number): number {
    return Math.floor((wallMs + EARLY_MS - this.#phaseMs) / this.#everyMs);
  }
}
