import { lowerBound } from '@tidemark/page';
import type { AggregatePlan } from '../read/aggregate-plan.ts';

/** The points of a series that a fold needs: [from, to) of those that were read. */
export interface ContextRange {
  /** Below 0 where there are too few before the range. */
  readonly from: number;
  /** Above their number where there are too few after it. */
  readonly to: number;
}

/**
 * The points of the range with their context, of a series with the first `length` of `timesMs`, ascending, all since
 * `neededSinceMs`.
 */
export function contextRange(
  { fromMs, toMs, contextPoints }: AggregatePlan,
  neededSinceMs: number,
  timesMs: Float64Array,
  length: number,
): ContextRange {
  const first = lowerBound(timesMs, fromMs, 0, length);
  const end = lowerBound(timesMs, toMs, 0, length);
  if (contextPoints === 0) return { from: first, to: end };
  const needed = lowerBound(timesMs, neededSinceMs, 0, length);
  return {
    from: Math.min(needed, back(timesMs, first, contextPoints)),
    to: forth(timesMs, end, length, contextPoints),
  };
}

/** The index `timestamps` distinct times before `index`; below 0 when there are fewer. */
function back(timesMs: Float64Array, index: number, timestamps: number): number {
  let at = index;
  for (let i = 0; i < timestamps; i++) {
    if (at <= 0) return -1;
    at--;
    while (at > 0 && timesMs[at - 1] === timesMs[at]) at--;
  }
  return at;
}

/** The index behind the `timestamps` distinct times from `index` on; above `length` when there are fewer. */
function forth(timesMs: Float64Array, index: number, length: number, timestamps: number): number {
  let at = index;
  for (let i = 0; i < timestamps; i++) {
    if (at >= length) return length + 1;
    at++;
    while (at < length && timesMs[at] === timesMs[at - 1]) at++;
  }
  return at;
}
