import { SERIES_CLASS, type SeriesClass } from '@tidemark/model';
import { finishAtOnce, type SlicedWork } from '@tidemark/ports';
import { orderOf } from './ascending.ts';
import { compactSum, exactSum } from './exact-sum.ts';
import type { SeriesPoints, SeriesSketches } from './series-columns.ts';

type Column = Float64Array<ArrayBuffer>;

/** Points that are resolved, or moved, in one piece, and what one costs in units of the cost of a fold. */
const PIECE = 8192;
const RESOLVED_COST = 1 / 8;
/** With at most this share of stragglers, points are merged and not sorted. */
const STRAGGLERS_SHARE = 4;

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
  return finishAtOnce(compactInPieces(seriesClass, timesMs, values, from, to));
}

/** Does what `compactPoints` does, in pieces. */
export function compactInPieces(
  seriesClass: SeriesClass,
  timesMs: Column,
  values: Column,
  from: number,
  to: number,
): SlicedWork<number, number> {
  return settle(seriesClass, timesMs, values, from, to, compactSum);
}

/** Resolves points for answers, in pieces: one point per timestamp, the sum of a count, the last value of other classes. */
export function* resolveInPieces(seriesClass: SeriesClass, points: SeriesPoints): SlicedWork<void, number> {
  const { timesMs, values, length } = points;
  if (isStrictlyAscending(timesMs, 0, length)) return;
  points.length = yield* settle(seriesClass, timesMs, values, 0, length, roundSum);
}

function roundSum(values: Column, from: number, to: number): number {
  values[from] = exactSum(values, from, to);
  return from + 1;
}

function* settle(
  seriesClass: SeriesClass,
  timesMs: Column,
  values: Column,
  from: number,
  to: number,
  sum: (values: Column, from: number, to: number) => number,
): SlicedWork<number, number> {
  if (isStrictlyAscending(timesMs, from, to)) return to;
  if (!isAscending(timesMs, from, to)) {
    yield* sortByTime(timesMs, values, from, to);
    if (isStrictlyAscending(timesMs, from, to)) return to;
  }
  let end = from;
  let paid = from;
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
    if (i - paid < PIECE) continue;
    yield (i - paid) * RESOLVED_COST;
    paid = i;
  }
  return end;
}

/** Sorts by time, equal timestamps in log order. In place on two parallel columns. */
function* sortByTime(timesMs: Column, values: Column, from: number, to: number): SlicedWork<void, number> {
  const behind = yield* countBehind(timesMs, from, to);
  if (behind * STRAGGLERS_SHARE <= to - from) {
    yield* mergeStragglers(timesMs, values, from, to, behind);
    return;
  }
  const order = yield* orderOf(timesMs, from, to);
  const times = yield* inOrder(timesMs, order);
  timesMs.set(times, from);
  values.set(yield* inOrder(values, order), from);
}

/** How many times lie before one that was earlier in the order. */
function* countBehind(timesMs: Column, from: number, to: number): SlicedWork<number, number> {
  let behind = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  for (let i = from; i < to; i++) {
    if (timesMs[i] < lastMs) behind++;
    else lastMs = timesMs[i];
    if ((i + 1 - from) % PIECE === 0) yield PIECE * RESOLVED_COST;
  }
  return behind;
}

/**
 * Sorts points of which `count` are stragglers: those that `countBehind` counts. The others ascend, and of equal timestamps they came
 * first, so that the two are merged.
 */
function* mergeStragglers(
  timesMs: Column,
  values: Column,
  from: number,
  to: number,
  count: number,
): SlicedWork<void, number> {
  const lateMs = new Float64Array(count);
  const late = new Float64Array(count);
  let end = from;
  let found = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  for (let i = from; i < to; i++) {
    if (timesMs[i] < lastMs) {
      lateMs[found] = timesMs[i];
      late[found++] = values[i];
    } else {
      lastMs = timesMs[i];
      timesMs[end] = lastMs;
      values[end++] = values[i];
    }
    if ((i + 1 - from) % PIECE === 0) yield PIECE * RESOLVED_COST;
  }
  const order = yield* orderOf(lateMs, 0, count);
  // From the end on, so that no place is written before it was read.
  for (let at = to - 1, left = count - 1; left >= 0; at--) {
    const next = order[left];
    if (end > from && timesMs[end - 1] > lateMs[next]) {
      end--;
      timesMs[at] = timesMs[end];
      values[at] = values[end];
    } else {
      timesMs[at] = lateMs[next];
      values[at] = late[next];
      left--;
    }
    if ((to - at) % PIECE === 0) yield PIECE * RESOLVED_COST;
  }
}

function* inOrder(column: Column, order: Uint32Array): SlicedWork<Column, number> {
  const ordered = new Float64Array(order.length);
  for (let i = 0; i < order.length; i++) {
    ordered[i] = column[order[i]];
    if ((i + 1) % PIECE === 0) yield PIECE * RESOLVED_COST;
  }
  return ordered;
}

/**
 * Sorts sketches by time, in log order among equal timestamps. Readers merge them: a merge adds float64 sums, so its
 * result would depend on the order of merges.
 */
export function sortSketches(sketches: SeriesSketches): void {
  finishAtOnce(sortSketchesInPieces(sketches));
}

/** Does what `sortSketches` does, in pieces. */
export function* sortSketchesInPieces(sketches: SeriesSketches): SlicedWork<void, number> {
  const { timesMs, length } = sketches;
  if (isAscending(timesMs, 0, length)) return;
  const order = yield* orderOf(timesMs, 0, length);
  timesMs.set(yield* inOrder(timesMs, order));
  const payloads: Uint8Array[] = [];
  for (const i of order) {
    payloads.push(sketches.payloads[i]);
    if (payloads.length % PIECE === 0) yield PIECE * RESOLVED_COST;
  }
  sketches.payloads = payloads;
}

export function isStrictlyAscending(timesMs: Float64Array, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i++) if (!(timesMs[i - 1] < timesMs[i])) return false;
  return true;
}

function isAscending(timesMs: Float64Array, from: number, to: number): boolean {
  for (let i = from + 1; i < to; i++) if (timesMs[i - 1] > timesMs[i]) return false;
  return true;
}
