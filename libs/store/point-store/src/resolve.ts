import { SERIES_CLASS, type SeriesClass } from '@tidemark/model';
import { compactSum, exactSum } from './exact-sum.ts';
import type { SeriesPoints, SeriesSketches } from './series-columns.ts';

type Column = Float64Array<ArrayBuffer>;

/**
 * Converts points [from, to) of one series, in log order, to their stored form: ascending by time, and of equal
 * timestamps only the values that still matter. For a count these are the exact sum, in as many values as it needs, so
 * that later values give the same sum for any commits between them; for other classes the last value. In place; returns
 * the new end.
 */
export function compactPoints(
  seriesClass: SeriesClass,
  timesMs: Column,
  values: Column,
  from: number,
  to: number,
): number {
  return settle(seriesClass, timesMs, values, from, to, compactSum);
}

/** Resolves points for answers: one point per timestamp, the sum of a count, the last value of other classes. */
export function resolveAll(seriesClass: SeriesClass, points: SeriesPoints): void {
  points.length = settle(seriesClass, points.timesMs, points.values, 0, points.length, roundSum);
}

function roundSum(values: Column, from: number, to: number): number {
  values[from] = exactSum(values, from, to);
  return from + 1;
}

function settle(
  seriesClass: SeriesClass,
  timesMs: Column,
  values: Column,
  from: number,
  to: number,
  sum: (values: Column, from: number, to: number) => number,
): number {
  if (isStrictlyAscending(timesMs, from, to)) return to;
  if (!isAscending(timesMs, from, to)) sortByTime(timesMs, values, from, to);
  let end = from;
  for (let i = from; i < to; ) {
    const timeMs = timesMs[i];
    let next = i + 1;
    while (next < to && timesMs[next] === timeMs) next++;
    let kept = 1;
    if (seriesClass === SERIES_CLASS.count && next > i + 1) {
      kept = sum(values, i, next) - i;
      values.copyWithin(end, i, i + kept);
    } else {
      values[end] = values[next - 1];
    }
    timesMs.fill(timeMs, end, end + kept);
    end += kept;
    i = next;
  }
  return end;
}

/** Sorts by time, equal timestamps in log order. In place on two parallel columns. */
function sortByTime(timesMs: Column, values: Column, from: number, to: number): void {
  const order = sortedOrder(timesMs, from, to);
  const times = Float64Array.from(order, (i) => timesMs[i]);
  const sorted = Float64Array.from(order, (i) => values[i]);
  timesMs.set(times, from);
  values.set(sorted, from);
}

/**
 * Sorts sketches by time, in log order among equal timestamps. Readers merge them: a merge adds float64 sums, so its
 * result would depend on the order of merges.
 */
export function sortSketches(sketches: SeriesSketches): void {
  const { timesMs, length } = sketches;
  if (isAscending(timesMs, 0, length)) return;
  const order = sortedOrder(timesMs, 0, length);
  const times = Float64Array.from(order, (i) => timesMs[i]);
  const payloads = Array.from(order, (i) => sketches.payloads[i]);
  timesMs.set(times);
  sketches.payloads = payloads;
}

function isStrictlyAscending(timesMs: Float64Array, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i++) if (!(timesMs[i - 1] < timesMs[i])) return false;
  return true;
}

function isAscending(timesMs: Float64Array, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i++) if (timesMs[i - 1] > timesMs[i]) return false;
  return true;
}

/** Indices [from, to) in order of time, equal timestamps in order of index. */
function sortedOrder(timesMs: Float64Array, from: number, to: number): Uint32Array {
  const order = Uint32Array.from({ length: to - from }, (_, i) => from + i);
  return order.sort((a, b) => timesMs[a] - timesMs[b] || a - b);
}
