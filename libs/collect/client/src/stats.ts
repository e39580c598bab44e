import type { ClientOptions, ClientRejection } from './options.ts';

/**
 * Counts of a client since its start. At any time
 * `points + recoveredPoints = ackedPoints + rejectedPoints + refusedPoints + droppedPoints + indeterminatePoints +
 * pendingPoints`.
 */
export interface ClientStats {
  /** Distinct series that were recorded. */
  readonly series: number;
  /** Recorded values; those of one flush interval fold into fewer points. */
  readonly samples: number;
  /** Values that were not accepted: a bad name, NaN in a count, too many series. */
  readonly rejectedSamples: number;
  /** Points that were cut into batches. */
  readonly points: number;
  /** Points that were restored from the spools of earlier runs. */
  readonly recoveredPoints: number;
  /** Points that are durable in the platform's log. */
  readonly ackedPoints: number;
  /** Points that the platform left out of acknowledged batches, because a name, value or time breaks a limit. */
  readonly rejectedPoints: number;
  /** Points of batches that the platform can never accept. */
  readonly refusedPoints: number;
  /** Points given up before their first send. */
  readonly droppedPoints: number;
  /** Points given up after a send whose outcome is unknown. */
  readonly indeterminatePoints: number;
  /** Points in batches that are not settled yet. */
  readonly pendingPoints: number;
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
  /** Points, or samples, that were left out or given up, by reason. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** The counters behind `ClientStats`. */
export class ClientCounters {
  samples = 0;
  rejectedSamples = 0;
  points = 0;
  recoveredPoints = 0;
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
  readonly #reasons = new Map<string, number>();
  readonly #onRejection: ClientOptions['onRejection'];

  constructor(onRejection?: ClientOptions['onRejection']) {
    this.#onRejection = onRejection;
  }

  /** Counts by reason and reports to the program. */
  reject(rejection: ClientRejection): void {
    // Reasons come from the platform, too: a peer must not grow this table without a bound.
    const reason = this.#reasons.has(rejection.reason) || this.#reasons.size < MAX_REASONS ? rejection.reason : 'other';
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + rejection.points);
    this.#onRejection?.(rejection);
  }

  snapshot(now: { series: number; pendingPoints: number; spoolBytes: number }): ClientStats {
    const { samples, rejectedSamples, points, recoveredPoints, ackedPoints, rejectedPoints, refusedPoints } = this;
    const { droppedPoints, indeterminatePoints, batchesSent, batchesResent, connects, behindFrontierPoints } = this;
    const { spoolFailures, spoolBadBytes } = this;
    return {
      ...now,
      ...{ samples, rejectedSamples, points, recoveredPoints, ackedPoints, rejectedPoints, refusedPoints },
      ...{ droppedPoints, indeterminatePoints, batchesSent, batchesResent, connects, behindFrontierPoints },
      ...{ spoolFailures, spoolBadBytes },
      reasons: Object.fromEntries(this.#reasons),
    };
  }
}

const MAX_REASONS = 1000;
