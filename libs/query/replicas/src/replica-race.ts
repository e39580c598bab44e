import { AssertionError, type Clock, isTidemarkError, messageOf, TidemarkError, type Timer } from '@tidemark/ports';
import type { PositionsReader } from '@tidemark/store-rpc';
import { isRefusal } from '@tidemark/store-rpc';
import type { HedgeBudget, LatencyEstimate } from './hedging.ts';
import type { ReplicaLimits } from './replica-limits.ts';
import type { OrderedReplica } from './replica-order.ts';
import type { StoreProcess } from './store-process.ts';

/** Counts of requests since the start. */
export interface ReplicaCounters {
  requests: number;
  /** Requests sent to another replica because the first was slow. */
  hedges: number;
  /** Hedges that were the first to answer. */
  hedgesWon: number;
  /** Hedges that were due, but beyond their share. */
  hedgesRefused: number;
  /** Requests sent to another replica because one failed, or was lost during the request. */
  failovers: number;
}

export interface RaceOptions<Process, Reply> {
  /** Name of the part in errors: `points/3`. */
  readonly part: string;
  /** Replicas in the order in which they are asked; not empty. */
  readonly replicas: readonly OrderedReplica<Process>[];
  readonly ask: (process: Process, signal: AbortSignal) => Promise<Reply>;
  /** Called when a request failed as if its process were unreachable. */
  readonly doubt: (process: Process) => void;
  readonly clock: Clock;
  readonly limits: ReplicaLimits;
  readonly latency: LatencyEstimate;
  readonly budget: HedgeBudget;
  readonly counters: ReplicaCounters;
  readonly signal: AbortSignal | undefined;
}

interface Attempt<Process> {
  readonly process: Process;
  readonly abort: AbortController;
  readonly startedMs: number;
  readonly isHedge: boolean;
  grace: Timer | undefined;
  forget: () => void;
}

/**
 * One request to the replicas of a partition, each asked at most once. The first good answer wins, and the others are
 * cancelled. The next replica is asked when all earlier ones have failed or are lost, and when the answer takes
 * unusually long. A refusal of the request itself is the answer, because every replica would refuse it.
 */
export class ReplicaRace<Process extends StoreProcess<PositionsReader>, Reply> {
  readonly #options: RaceOptions<Process, Reply>;
  readonly #attempts = new Set<Attempt<Process>>();
  readonly #failures: string[] = [];
  readonly #reply: Promise<Reply>;
  #resolve: (reply: Reply) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  #next = 0;
  #hedgeTimer: Timer | undefined;
  #hasEnded = false;

  constructor(options: RaceOptions<Process, Reply>) {
    this.#options = options;
    this.#reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  async run(): Promise<Reply> {
    const { signal, counters, budget } = this.#options;
    signal?.throwIfAborted();
    const cancel = () => this.#end(() => this.#reject(signal?.reason));
    signal?.addEventListener('abort', cancel, { once: true });
    counters.requests++;
    budget.earn();
    this.#askNext(false);
    try {
      return await this.#reply;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  #askNext(isHedge: boolean): void {
    const { replicas, clock, ask } = this.#options;
    if (this.#next === replicas.length) {
      if (this.#attempts.size === 0) this.#end(() => this.#reject(this.#noAnswer()));
      return;
    }
    const { process } = replicas[this.#next++];
    const attempt: Attempt<Process> = {
      ...{ process, isHedge },
      abort: new AbortController(),
      startedMs: clock.monotonicMs(),
      grace: undefined,
      forget: process.whenLost(() => this.#lost(attempt)),
    };
    this.#attempts.add(attempt);
    process.inFlight++;
    if (process.state === 'lost') this.#giveGrace(attempt);
    this.#planHedge();
    // Within an async function, so that a reader that throws synchronously is handled as a rejection.
    (async () => ask(process, attempt.abort.signal))().then(
      (reply) => this.#answered(attempt, reply),
      (error: unknown) => this.#failed(attempt, error),
    );
  }

  #answered(attempt: Attempt<Process>, reply: Reply): void {
    if (this.#hasEnded) return;
    const { clock, latency, counters } = this.#options;
    if (attempt.isHedge) counters.hedgesWon++;
    for (const { startedMs } of this.#attempts) latency.add(clock.monotonicMs() - startedMs);
    this.#end(() => this.#resolve(reply));
  }

  #failed(attempt: Attempt<Process>, error: unknown): void {
    if (this.#hasEnded || !this.#attempts.has(attempt)) return;
    if (error instanceof AssertionError || isRefusal(error)) {
      this.#end(() => this.#reject(error));
      return;
    }
    const code = isTidemarkError(error) ? error.code : 'internal';
    const message = messageOf(error);
    this.#failures.push(`${attempt.process.name}: ${code}: ${message}`);
    this.#drop(attempt);
    if (code === 'unavailable') this.#options.doubt(attempt.process);
    // Another replica that was asked may still answer.
    if (this.#attempts.size === 0) this.#failOver();
  }

  /** Starts the grace time of a lost process: it may still return and answer. */
  #lost(attempt: Attempt<Process>): void {
    this.#giveGrace(attempt);
    if ([...this.#attempts].every(({ process }) => process.state === 'lost')) this.#failOver();
  }

  #failOver(): void {
    if (this.#next < this.#options.replicas.length) this.#options.counters.failovers++;
    this.#askNext(false);
  }

  #giveGrace(attempt: Attempt<Process>): void {
    const { clock, limits } = this.#options;
    if (attempt.grace !== undefined) return;
    attempt.grace = clock.setTimer(limits.lostGraceMs, () => {
      attempt.grace = undefined;
      const { state, lastError } = attempt.process;
      if (state !== 'lost') return;
      const reason = lastError === undefined ? '' : ` (${lastError.code}: ${lastError.message})`;
      this.#failed(
        attempt,
        new TidemarkError('deadline_exceeded', `no answer after ${limits.lostGraceMs} ms from a lost process${reason}`),
      );
    });
  }

  #planHedge(): void {
    const { replicas, clock, limits, latency, budget, counters } = this.#options;
    this.#hedgeTimer?.cancel();
    if (this.#next === replicas.length || !replicas[this.#next].isLevel) return;
    this.#hedgeTimer = clock.setTimer(latency.hedgeAfterMs(limits), () => {
      if (replicas[this.#next].process.state === 'lost') return;
      if (!budget.take()) {
        counters.hedgesRefused++;
        this.#planHedge();
        return;
      }
      counters.hedges++;
      this.#askNext(true);
    });
  }

  #noAnswer(): TidemarkError {
    const { part } = this.#options;
    return new TidemarkError('unavailable', `no replica of ${part} could answer: ${this.#failures.join('; ')}`, {
      part,
    });
  }

  #drop(attempt: Attempt<Process>): void {
    attempt.grace?.cancel();
    attempt.forget();
    attempt.process.inFlight--;
    this.#attempts.delete(attempt);
    attempt.abort.abort(new TidemarkError('cancelled', 'the answer is no longer needed'));
  }

  #end(settle: () => void): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#hedgeTimer?.cancel();
    settle();
    for (const attempt of [...this.#attempts]) this.#drop(attempt);
  }
}
