import { DAY_MS } from './day.ts';

/**
 * Reporting intervals that senders stated for a series: `intervalsMs[i]` holds for points from `sinceMs[i]` on,
 * until the next entry. Ascending by `sinceMs`. A definition without an interval changes nothing.
 */
export interface StatedIntervals {
  readonly sinceMs: readonly number[];
  readonly intervalsMs: readonly number[];
}

export const NOTHING_STATED: StatedIntervals = { sinceMs: [], intervalsMs: [] };

/** The longest reporting interval that can be stated, ms. */
export const INTERVAL_LIMIT_MS = 31 * DAY_MS;

/** How many reporting intervals a reading holds, unless another one follows or its series ends. */
export const HOLD_INTERVALS = 2.5;

/** A query finds the series that were seen this long before its range, ms. */
export const FOUND_BEFORE_MS = 3 * 3_600_000;

/**
 * Days after the UTC day of a point on which a query must find its series, because the point still holds then and the
 * query looks back less far.
 */
export function daysHeldAfter(intervalMs: number): number {
  return Math.max(0, Math.ceil((HOLD_INTERVALS * intervalMs - FOUND_BEFORE_MS) / DAY_MS));
}
