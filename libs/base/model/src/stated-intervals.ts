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
export const INTERVAL_LIMIT_MS = 31 * 86_400_000;
