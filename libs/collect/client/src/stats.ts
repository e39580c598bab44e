import { TidemarkError } from '@tidemark/ports';
import { describeThrown, isTypeReason } from './check-arguments.ts';
import { ClientWarnings } from './client-warnings.ts';
import { LocalRefusals } from './local-refusals.ts';
import { type ClientOptions, type ClientRejection, type ClientWarning, givenUp } from './options.ts';
import { ProgramCallback } from './program-callback.ts';

/**
 * Counts of a client since its start. At any time
 * `samples = rejectedSamples + mergedSamples + gatheredPoints + points`, and
 * `points + recoveredPoints = mergedPoints + ackedPoints + rejectedPoints + refusedPoints + droppedPoints +
 * indeterminatePoints + pendingPoints`.
 */
export interface ClientStats {
  /** Distinct series that were recorded. */
  readonly series: number;
  /** Recorded values and ends of series; those of one flush interval fold into fewer points. */
  readonly samples: number;
  /** Values that were not accepted: a bad name, NaN in a count, too many series. */
  readonly rejectedSamples: number;
  /** Values that became part of the point of an earlier one: the sum, the sketch or the last value of a flush interval. */
  readonly mergedSamples: number;
  /** Points of the flush interval that is not over. */
  readonly gatheredPoints: number;
  /** Points that were cut into batches. */
  readonly points: number;
  /** Points that were restored from the spools of earlier runs. */
  readonly recoveredPoints: number;
  /** Points that became one with another point of their series and timestamp in the same batch. */
  readonly mergedPoints: number;
  /** Points that are durable in the platform's log. */
  readonly ackedPoints: number;
  /** Points that the platform left out of acknowledged batches, because a name, value or time breaks a limit. */
  readonly rejectedPoints: number;
  /** Points of batches that the platform can never accept, and that were sent once. */
  readonly refusedPoints: number;
  /** Points given up before their first send. */
  readonly droppedPoints: number;
  /**
   * Points that may be in the log: given up, refused, or rejected because of a budget or their time, after an earlier
   * send whose outcome is unknown.
   */
  readonly indeterminatePoints: number;
  /** Points in batches that are not settled yet. */
  readonly pendingPoints: number;
  /** Those of `pendingPoints` that a restart finds in the spool. */
  readonly spooledPoints: number;
  /** Batches sent, repetitions included. */
  readonly batchesSent: number;
  /** Repetitions among `batchesSent`. */
  readonly batchesResent: number;
  /** Streams that were opened. */
  readonly connects: number;
  /** Points whose explicit timestamp was older than a frontier promised before. */
  readonly behindFrontierPoints: number;
  /** Bytes of the spool, what is about to be written included. */
  readonly spoolBytes: number;
  /** Failed operations on the spool. */
  readonly spoolFailures: number;
  /** Bytes of earlier spools that could not be read. */
  readonly spoolBadBytes: number;
  /** Time between two flushes, ms; 0: by hand only. */
  readonly flushIntervalMs: number;
  /** The platform's lateness bound (D), ms, as the last greeting named it; undefined before. */
  readonly latenessMs: number | undefined;
  /** Settings that make points late and the like, each once: what `onWarning` was called with. */
  readonly warnings: readonly ClientWarning[];
  /** Calls of `onRejection` and `onWarning` that threw, or returned a promise that rejected. */
  readonly callbackErrors: number;
  /** Errors of this library that it has caught. Please report them, with `lastError`. */
  readonly internalErrors: number;
  /** Points, or samples, that were left out or given up, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** The counters behind `ClientStats`. client.test.ts and hostile-arguments.test.ts cover them. */
export class ClientCounters {
  samples = 0;
  rejectedSamples = 0;
  mergedSamples = 0;
  points = 0;
  recoveredPoints = 0;
  mergedPoints = 0;
  ackedPoints = 0;
  rejectedPoints = 0;
  refusedPoints = 0;
  droppedPoints = 0;
  indeterminatePoints = 0;
  batchesSent = 0;
  batchesResent = 0;
  connects = 0;
  behindFrontierPoints = 0;
  spoolFailures = 0;
  spoolBadBytes = 0;
  readonly warnings: ClientWarnings;
  readonly localRefusals = new LocalRefusals();
  readonly #reasons = new Map<string, number>();
  /** Reasons that are reported once, and have been. */
  readonly #reported = new Set<string>();
  readonly #onRejection: ProgramCallback<ClientRejection>;
  #internalErrors = 0;
  #lastFailure: TidemarkError | undefined;

  constructor({ onRejection, onWarning }: Pick<ClientOptions, 'onRejection' | 'onWarning'> = {}) {
    this.#onRejection = new ProgramCallback(onRejection);
    this.warnings = new ClientWarnings(onWarning);
  }

  /** The last error of this library that it has caught. */
  get lastFailure(): TidemarkError | undefined {
    return this.#lastFailure;
  }

  /** Counts an error of this library: the program must not end because of it. */
  fail(error: unknown): void {
    this.#internalErrors++;
    const message = `client: ${describeThrown(error)}`;
    this.#lastFailure = new TidemarkError('internal', message, {}, { cause: error });
    this.warnings.warn({ reason: 'internal', field: 'client', limit: 'no internal error', message });
  }

  /** Counts a sample whose series could not be looked up. */
  refuseSample({ reason, field, limit, message }: Omit<ClientRejection, 'points'>): void {
    this.rejectedSamples++;
    const rejection = { reason, field, limit, points: 1, message };
    if (isTypeReason(reason)) this.#rejectOnce(rejection);
    else this.reject(rejection);
  }

  /** Counts samples with an argument of a wrong type. Such a call is often in a loop: each reason is reported once. */
  rejectMistyped(reason: string, field: string, limit: string, samples: number, found: string): void {
    this.rejectedSamples += samples;
    const message = `${field}: ${found} (limit: ${limit})`;
    this.#rejectOnce({ reason, field, limit, points: samples, message });
  }

  /** Counts the points of earlier runs that damage took out of the spool. */
  lostInSpool({ dropped, indeterminate }: { readonly dropped: number; readonly indeterminate: number }): void {
    const points = dropped + indeterminate;
    if (points === 0) return;
    this.recoveredPoints += points;
    this.droppedPoints += dropped;
    this.indeterminatePoints += indeterminate;
    this.reject(givenUp('spool_damaged', 'spool', 'a good record', points));
  }

  /** Counts what this client refused or gave up, by reason, and reports it to the program. */
  reject(rejection: ClientRejection): void {
    this.localRefusals.add(rejection.reason, rejection.points, rejection.message);
    this.rejectedByPlatform(rejection);
  }

  /** Counts what the platform refused, by reason, and reports it to the program. */
  rejectedByPlatform(rejection: ClientRejection): void {
    this.#count(rejection);
    this.#onRejection.call(rejection);
  }

  #count(rejection: ClientRejection): void {
    // Reasons come from the platform, too: a peer must not grow this table without a bound.
    const reason = this.#reasons.has(rejection.reason) || this.#reasons.size < MAX_REASONS ? rejection.reason : 'other';
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + rejection.points);
  }

  #rejectOnce(rejection: ClientRejection): void {
    this.localRefusals.add(rejection.reason, rejection.points, rejection.message);
    this.#count(rejection);
    if (this.#reported.has(rejection.reason)) return;
    this.#reported.add(rejection.reason);
    this.#onRejection.call(rejection);
  }

  snapshot(
    now: Pick<
      ClientStats,
      'series' | 'gatheredPoints' | 'pendingPoints' | 'spooledPoints' | 'spoolBytes' | 'flushIntervalMs' | 'latenessMs'
    >,
  ): ClientStats {
    const { samples, rejectedSamples, mergedSamples, points, recoveredPoints, mergedPoints } = this;
    const { ackedPoints, rejectedPoints, refusedPoints } = this;
    const { droppedPoints, indeterminatePoints, batchesSent, batchesResent, connects, behindFrontierPoints } = this;
    const { spoolFailures, spoolBadBytes } = this;
    return {
      ...now,
      ...{ samples, rejectedSamples, mergedSamples, points, recoveredPoints, mergedPoints },
      ...{ ackedPoints, rejectedPoints, refusedPoints },
      ...{ droppedPoints, indeterminatePoints, batchesSent, batchesResent, connects, behindFrontierPoints },
      ...{ spoolFailures, spoolBadBytes },
      warnings: this.warnings.all,
      callbackErrors: this.#onRejection.failures + this.warnings.callbackFailures,
      internalErrors: this.#internalErrors,
      reasons: Object.fromEntries(this.#reasons),
    };
  }
}

const MAX_REASONS = 1000;
