import type { AnswerSeries } from './api/api-types.ts';
import { NO_UNIT, type Unit, unitOfMetric } from './format/units.ts';

/** A line of a graph: one value per time of the table, null for an absent value. */
export interface Line {
  readonly label: string;
  readonly unit: Unit;
  readonly values: readonly (number | null)[];
  readonly summary: Summary;
}

export interface Summary {
  readonly min: number | null;
  readonly avg: number | null;
  readonly max: number | null;
  readonly last: number | null;
}

export interface SeriesTable {
  /** Step starts, seconds, ascending, distinct. */
  readonly timesS: readonly number[];
  readonly lines: readonly Line[];
  /** Number of series in the answer: more than lines if a limit left some out. */
  readonly total: number;
  /** The longest step among the lines, ms. */
  readonly intervalMs: number;
}

/** Joins the series of an answer by time. With a limit, only those with the highest average are kept. */
export function tableOf(
  series: readonly AnswerSeries[],
  labelOf: (series: AnswerSeries) => string = labelOfSeries,
  limit = Number.POSITIVE_INFINITY,
): SeriesTable {
  const kept = series.length <= limit ? series : highest(series, limit);
  const times = new Set<number>();
  for (const { points } of kept) for (const [timeMs] of points) times.add(timeMs);
  const timesMs = [...times].sort((a, b) => a - b);
  const rows = new Map(timesMs.map((timeMs, row) => [timeMs, row]));
  return {
    timesS: timesMs.map((timeMs) => timeMs / 1_000),
    lines: kept.map((one) => lineOf(one, labelOf(one), rows)),
    total: series.length,
    intervalMs: kept.reduce((longest, { intervalMs }) => Math.max(longest, intervalMs), 1_000),
  };
}

function highest(series: readonly AnswerSeries[], limit: number): readonly AnswerSeries[] {
  const averages = new Map(
    series.map((one) => [one, summaryOf(one.points.map(([, value]) => value)).avg ?? -Infinity]),
  );
  const average = (one: AnswerSeries): number => averages.get(one) ?? -Infinity;
  const top = new Set([...series].sort((a, b) => average(b) - average(a)).slice(0, limit));
  // In the answer's order, so that colours stay with their series while averages move.
  return series.filter((one) => top.has(one));
}

function lineOf(series: AnswerSeries, label: string, rows: ReadonlyMap<number, number>): Line {
  const unit = unitOfSeries(series);
  const values: (number | null)[] = new Array(rows.size).fill(null);
  for (const [timeMs, value] of series.points) {
    const row = rows.get(timeMs);
    if (row !== undefined && value !== null) values[row] = value * unit.scale;
  }
  return { label, unit, values, summary: summaryOf(values) };
}

/** Returns the metric's unit for a plain aggregation, and no unit for functions and arithmetic. */
function unitOfSeries({ metric, expression }: AnswerSeries): Unit {
  const isPlain = /^\s*(?:(?:avg|sum|min|max|last|p\d)[^()]*)?(?:\.rollup\([^)]*\))?\s*$/.test(expression);
  return isPlain && !/[-+*/]\s/.test(expression) ? unitOfMetric(metric) : NO_UNIT;
}

export function summaryOf(values: readonly (number | null)[]): Summary {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let count = 0;
  let last: number | null = null;
  for (const value of values) {
    if (value === null) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    count++;
    last = value;
  }
  if (count === 0) return { min: null, avg: null, max: null, last: null };
  return { min, avg: sum / count, max, last };
}

/** Returns the tags of the group, or the expression when there is no group. */
export function labelOfSeries({ tags, expression, metric, scope }: AnswerSeries): string {
  if (tags.length > 0) return tags.join(', ');
  if (expression !== '') return expression;
  return scope === '' || scope === '*' ? metric : `${metric} ${scope}`;
}

/**
 * Returns the time from which a graph is not complete, ms: the start of the first step that does not end before
 * `completeThroughMs`. A step's value is drawn at its start and covers all of it.
 */
export function incompleteFromMs(completeThroughMs: number | undefined, intervalMs: number): number | undefined {
  if (completeThroughMs === undefined) return undefined;
  return Math.floor(completeThroughMs / intervalMs) * intervalMs;
}

/** Returns the max distance between two points (s) that a line bridges: two and a half times the usual distance. */
export function bridgeSeconds(
  timesS: readonly number[],
  values: readonly (number | null)[],
  intervalMs: number,
): number {
  const distances: number[] = [];
  let before: number | undefined;
  for (const [row, value] of values.entries()) {
    if (value === null) continue;
    if (before !== undefined) distances.push(timesS[row] - before);
    before = timesS[row];
  }
  distances.sort((a, b) => a - b);
  const usual = distances[distances.length >> 1] ?? 0;
  return Math.max(2.5 * usual, (1.5 * intervalMs) / 1_000);
}
