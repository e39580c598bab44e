import type { BatchFate } from './batch-fate.ts';

/** Options of `Client.flush`. */
export interface FlushOptions {
  /** Time after which `flush` returns with the outcome `timeout`, ms. Default `closeTimeoutMs`. */
  readonly timeoutMs?: number;
}

/** What has become of the points that were in the client's memory alone when `flush` was called. */
export interface FlushResult {
  /**
   * `acknowledged`: all are durable in the platform's log, or there were none. `spooled`: all survive a crash of this
   * process, some in the spool. `lost`: some were given up at a bound, or refused by the platform. `timeout`: some are
   * in memory alone still. `closed`: the client was closed before the call.
   */
  readonly outcome: 'acknowledged' | 'spooled' | 'lost' | 'timeout' | 'closed';
  /** Points that are durable in the platform's log. */
  readonly acknowledgedPoints: number;
  /** Points that are durable in the spool. */
  readonly spooledPoints: number;
  /** Points that were given up, or that the platform refused. */
  readonly lostPoints: number;
  /** Points that are in memory alone. */
  readonly pendingPoints: number;
}

export const CLOSED_RESULT: FlushResult = {
  outcome: 'closed',
  ...{ acknowledgedPoints: 0, spooledPoints: 0, lostPoints: 0, pendingPoints: 0 },
};

/** Adds up what has become of these batches. flush.test.ts covers it. */
export function flushResult(fates: readonly BatchFate[]): FlushResult {
  let acknowledgedPoints = 0;
  let spooledPoints = 0;
  let lostPoints = 0;
  let pendingPoints = 0;
  for (const fate of fates) {
    acknowledgedPoints += fate.acknowledgedPoints;
    lostPoints += fate.lostPoints;
    if (fate.isSpooled) spooledPoints += fate.openPoints;
    else pendingPoints += fate.openPoints;
  }
  const counts = { acknowledgedPoints, spooledPoints, lostPoints, pendingPoints };
  if (pendingPoints > 0) return { outcome: 'timeout', ...counts };
  if (lostPoints > 0) return { outcome: 'lost', ...counts };
  return { outcome: spooledPoints > 0 ? 'spooled' : 'acknowledged', ...counts };
}
