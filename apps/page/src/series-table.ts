import { printable } from '@tidemark/model/safe-text';
import type { AnswerSeries, QueryAnswer } from './api/api-types.ts';
import { unitOfSeries } from './format/series-unit.ts';
import type { Unit } from './format/units.ts';

/** A line of a graph: one value per time of the table, null for an absent value. */
export interface Line {
  /** Identifies the line within its query, also in the next answer. */
  readonly key: string;
  readonly label: string;
  readonly unit: Unit;
  readonly values: readonly (number | null)[];
  /** Values before this row are of complete steps; the others may still change. */
  readonly completeRows: number;
  /** Length of a step, ms; of calendar steps that of the longest. */
  readonly intervalMs: number;
  /** Figures of the complete steps. */
  readonly summary: Summary;
}

export interface Summary {
  readonly min: number | null;
  readonly avg: number | null;
  readonly max: number | null;
  readonly last: number | null;
}

/** Time from which a graph is not complete, ms; `unknown` when nothing is known to be complete. */
export type IncompleteFrom = number | 'unknown';

export interface SeriesTable {
  /** Step starts, seconds, ascending, distinct. */
  readonly timesS: readonly number[];
  readonly lines: readonly Line[];
  /** Number of series in the answer: more than lines if a limit left some out. */
  readonly total: number;
  /** The longest step among the lines, ms. */
  readonly intervalMs: number;
  readonly incompleteFrom: IncompleteFrom;
}

export interface TableOptions {
  readonly labelOf?: (series: AnswerSeries) => string;
  /** Only so many lines are kept, those with the highest average. */
  readonly limit?: number;
}

/** The table before the first answer: nothing is drawn, and nothing is shaded. */
export const NO_TABLE: SeriesTable = {
  timesS: [],
  lines: [],
  total: 0,
  intervalMs: 1_000,
  incompleteFrom: Number.POSITIVE_INFINITY,
};

/** Joins the series of an answer by time. A row without values stands in each gap that all lines have in common. */
export function tableOf(
  { series, completeThroughMs }: Pick<QueryAnswer, 'series' | 'completeThroughMs'>,
  { labelOf = labelOfSeries, limit = Number.POSITIVE_INFINITY }: TableOptions = {},
): SeriesTable {
  const kept = series.length <= limit ? series : highest(series, limit);
  const intervalMs = kept.reduce((longest, one) => Math.max(longest, one.intervalMs), 1_000);
  const incompleteFrom = incompleteFromMs(series, completeThroughMs);
  const timesMs = timesOf(kept, intervalMs, incompleteFrom);
  const rows = new Map(timesMs.map((timeMs, row) => [timeMs, row]));
  return {
    timesS: timesMs.map((timeMs) => timeMs / 1_000),
    lines: kept.map((one) => lineOf(one, labelOf(one), rows)),
    total: series.length,
    intervalMs,
    incompleteFrom,
  };
}

function highest(series: readonly AnswerSeries[], limit: number): readonly AnswerSeries[] {
  const averages = new Map(series.map((one) => [one, summaryOf(completeValuesOf(one)).avg ?? -Infinity]));
  const average = (one: AnswerSeries): number => averages.get(one) ?? -Infinity;
  const top = new Set([...series].sort((a, b) => average(b) - average(a)).slice(0, limit));
  // In the answer's order, so that colours stay with their series while averages move.
  return series.filter((one) => top.has(one));
}

function completeValuesOf({ points, completeSteps }: AnswerSeries): (number | null)[] {
  return points.slice(0, completeSteps).map(([, value]) => value);
}

/**
 * Returns the time from which a graph is not complete: the start of the first incomplete step, and the completeness of
 * the answer where no such step has a value.
 */
function incompleteFromMs(
  series: readonly AnswerSeries[],
  completeThroughMs: number | undefined,
): SeriesTable['incompleteFrom'] {
  if (completeThroughMs === undefined) return 'unknown';
  return series.reduce(
    (first, { points, completeSteps }) => Math.min(first, points[completeSteps]?.[0] ?? first),
    completeThroughMs,
  );
}

function timesOf(kept: readonly AnswerSeries[], intervalMs: number, incompleteFrom: IncompleteFrom): number[] {
  const times = new Set<number>();
  for (const { points } of kept) for (const [timeMs] of points) times.add(timeMs);
  const sorted = [...times].sort((a, b) => a - b);
  for (const [row, timeMs] of sorted.entries()) {
    const next = sorted[row + 1];
    const endMs = timeMs + intervalMs;
    // The end of a last complete step, up to which its line is drawn, and a row for a gap.
    if (next === undefined ? endMs === incompleteFrom : next > endMs) times.add(endMs);
  }
  return [...times].sort((a, b) => a - b);
}

function lineOf(series: AnswerSeries, label: string, rows: ReadonlyMap<number, number>): Line {
  const unit = unitOfSeries(series);
  const values: (number | null)[] = new Array(rows.size).fill(null);
  for (const [timeMs, value] of series.points) {
    const row = rows.get(timeMs);
    if (row !== undefined && value !== null) values[row] = value * unit.scale;
  }
  const firstIncomplete = series.points[series.completeSteps]?.[0];
  const completeRows = firstIncomplete === undefined ? rows.size : (rows.get(firstIncomplete) ?? 0);
  return {
    key: `${series.expression}\n${series.tags.join('\n')}`,
    label,
    unit,
    values,
    completeRows,
    intervalMs: series.intervalMs,
    summary: summaryOf(values.slice(0, completeRows)),
  };
}

export function summaryOf(values: readonly (number | null)[]): Summary {
  const present = values.filter((value) => value !== null);
  if (present.length === 0) return { min: null, avg: null, max: null, last: null };
  return {
    min: present.reduce((a, b) => Math.min(a, b)),
    // Each value is divided first, so that the sum does not overflow.
    avg: present.reduce((sum, value) => sum + value / present.length, 0),
    max: present.reduce((a, b) => Math.max(a, b)),
    last: present[present.length - 1],
  };
}

/** Returns the tags of the group, or the expression when there is no group. Control characters are escaped. */
export function labelOfSeries({ tags, expression, metric, scope }: AnswerSeries): string {
  if (tags.length > 0) return printable(tags.join(', '));
  if (expression !== '') return printable(expression);
  return printable(scope === '' || scope === '*' ? metric : `${metric} ${scope}`);
}

/** Fewer distances don't show which one is usual. */
const MIN_DISTANCES = 4;

/**
 * Returns the max distance between two values of a line (s) that is not a gap: one and a half times the usual distance, so
 * that one missing value is a gap. A line with fewer values than steps, such as one of 10 s in steps of 1 s, has a usual
 * distance of its own: the lower quartile, which gaps don't move.
 */
export function bridgeSeconds(timesS: readonly number[], { values, intervalMs }: Pick<Line, 'values' | 'intervalMs'>) {
  const distances: number[] = [];
  let before: number | undefined;
  for (const [row, value] of values.entries()) {
    if (value === null) continue;
    if (before !== undefined) distances.push(timesS[row] - before);
    before = timesS[row];
  }
  distances.sort((a, b) => a - b);
  const usual = distances.length < MIN_DISTANCES ? 0 : distances[distances.length >> 2];
  return 1.5 * Math.max(usual, intervalMs / 1_000);
}
