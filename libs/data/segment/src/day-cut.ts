import { lowerBound, PAGE_TIMES_LIMIT } from '@tidemark/page';
import type { SegmentSeries, SeriesPart } from './segment-series.ts';

export const HOUR_MS = 3_600_000;
export const DAY_HOURS = 24;
/** Lengths of time that pages may have: all divide the day, and each has borders of the next. */
const CUT_HOURS: readonly number[] = [24, 8, 4, 2, 1];
/** Points of a page from which on it has no more hours than one. A sketch counts as many as its bytes. */
export const CUT_POINTS = 131_072;

/** What the points of a part cost, in points: [from, to) of them. */
export function weightOf({ sketches }: SeriesPart, from: number, to: number): number {
  if (sketches === undefined) return to - from;
  let weight = 0;
  for (let i = from; i < to; i++) weight += sketches[i].length + 1;
  return weight;
}

/**
 * The length of time of the pages of a group, hours: the longest for which no page has more than `CUT_POINTS`, and no series
 * more points than a page can have. So it depends on the content alone, and few points are in few pages.
 */
export function cutHours(group: readonly SegmentSeries[], dayStartMs: number): number {
  const weights = new Float64Array(DAY_HOURS);
  const longest = CUT_HOURS.map(() => 0);
  const counts = new Float64Array(DAY_HOURS);
  for (const { parts } of group) {
    counts.fill(0);
    for (const part of parts) countHours(part, dayStartMs, counts, weights);
    CUT_HOURS.forEach((hours, i) => {
      longest[i] = Math.max(longest[i], maxWithin(counts, hours));
    });
  }
  const fitting = CUT_HOURS.findIndex(
    (hours, i) => longest[i] <= PAGE_TIMES_LIMIT && maxWithin(weights, hours) <= CUT_POINTS,
  );
  return fitting < 0 ? 1 : CUT_HOURS[fitting];
}

function countHours(part: SeriesPart, dayStartMs: number, counts: Float64Array, weights: Float64Array): void {
  const { timesMs } = part;
  for (let from = 0; from < timesMs.length; ) {
    const hour = Math.floor((timesMs[from] - dayStartMs) / HOUR_MS);
    const to = lowerBound(timesMs, dayStartMs + (hour + 1) * HOUR_MS, from, timesMs.length);
    counts[hour] += to - from;
    weights[hour] += weightOf(part, from, to);
    from = to;
  }
}

/** The largest sum of `hours` hours that begin at a border. */
function maxWithin(perHour: Float64Array, hours: number): number {
  let max = 0;
  for (let from = 0; from < DAY_HOURS; from += hours) {
    let sum = 0;
    for (let hour = from; hour < from + hours; hour++) sum += perHour[hour];
    max = Math.max(max, sum);
  }
  return max;
}
