import type { QueryReply, ResultSeries } from '@tidemark/contract';
import { blue, cyan, green, lightgray, lightred, magenta, plot, red, reset, yellow } from 'asciichart';
import Table from 'cli-table3';
import { printable, shortNumber, time } from './printable.ts';

/** Limits of a table of all values. A larger answer is shown as one line per series. */
const TABLE_SERIES = 5;
const TABLE_STEPS = 60;
const CHART_SERIES = 8;
const CHART_HEIGHT = 15;
const CHART_WIDTH = 100;
const COLORS = [blue, red, green, yellow, magenta, cyan, lightgray, lightred];

export type QueryFormat = 'table' | 'json' | 'csv' | 'chart';

/** Formats an answer as text. */
export function formatReply(reply: QueryReply, format: QueryFormat, isColored: boolean): string {
  if (format === 'json') return `${JSON.stringify(reply, undefined, 2)}\n`;
  if (format === 'csv') return csvOf(reply);
  if (reply.series.length === 0) return 'no points in this range\n';
  return format === 'chart' ? chartOf(reply, isColored) : tableOf(reply);
}

/** Returns the label of a series: its scope, or the expression when the query has no groups. */
export function labelOf({ expression, scope }: ResultSeries): string {
  return printable(scope === '' || scope === '*' ? expression : scope);
}

function tableOf(reply: QueryReply): string {
  const times = timesOf(reply.series);
  return reply.series.length <= TABLE_SERIES && times.length <= TABLE_STEPS
    ? valuesTable(reply, times)
    : summaryTable(reply.series);
}

/** Formats one row per step, and marks steps that are not complete yet. */
function valuesTable({ series, completeThroughMs }: QueryReply, times: readonly number[]): string {
  const table = new Table({ head: ['time', ...series.map(labelOf)], style: { head: [], border: [], compact: true } });
  const byTime = series.map(({ timesMs, values }) => new Map(timesMs.map((timeMs, i) => [timeMs, values[i]])));
  let isMarked = false;
  for (const timeMs of times) {
    const isComplete = completeThroughMs !== undefined && timeMs + stepMs(series) <= completeThroughMs;
    isMarked ||= !isComplete;
    const cells = byTime.map((values) => {
      const value = values.get(timeMs);
      return value === undefined ? '' : shortNumber(value);
    });
    table.push([`${time(timeMs)}${isComplete ? '' : ' ~'}`, ...cells]);
  }
  return `${table.toString()}\n${isMarked ? '~ not complete yet\n' : ''}`;
}

function stepMs(series: readonly ResultSeries[]): number {
  return Math.max(...series.map(({ intervalMs }) => intervalMs));
}

function summaryTable(series: readonly ResultSeries[]): string {
  const head = ['series', 'last', 'min', 'avg', 'max', 'steps'];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const one of series) {
    const { values } = one;
    const sum = values.reduce((total, value) => total + value, 0);
    const min = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    const max = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const figures = values.length === 0 ? ['', '', '', ''] : [values[values.length - 1], min, sum / values.length, max];
    table.push([labelOf(one), ...figures.map((v) => (typeof v === 'number' ? shortNumber(v) : v)), values.length]);
  }
  return `${table.toString()}\nUse --format csv or json for all values.\n`;
}

function csvOf({ series }: QueryReply): string {
  const rows = series.flatMap((one) =>
    one.timesMs.map((timeMs, i) =>
      [time(timeMs), one.expression, one.scope, String(one.values[i])].map(csvCell).join(','),
    ),
  );
  return `${['time,expression,scope,value', ...rows].join('\n')}\n`;
}

/**
 * Quotes a cell as RFC 4180 says. An apostrophe before a leading `=`, `+` or `@` keeps spreadsheets from running it.
 */
function csvCell(text: string): string {
  const safe = /^[=+@]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function chartOf({ series }: QueryReply, isColored: boolean): string {
  const shown = series.slice(0, CHART_SERIES).filter(({ values }) => values.some(Number.isFinite));
  if (shown.length === 0) return 'no points in this range\n';
  const times = timesOf(shown);
  const [fromMs, toMs] = [times[0], times[times.length - 1]];
  const lines = shown.map((one) => resample(one, fromMs, toMs, Math.min(CHART_WIDTH, times.length)));
  const values = lines.flat();
  const [min, max] = [Math.min(...values), Math.max(...values)];
  // asciichart loops without end when the spread is too small for the height: scale all values to the height.
  const spread = max - min || 1;
  const colors = COLORS.slice(0, shown.length);
  const chart = plot(
    lines.map((line) => line.map((value) => ((value - min) / spread) * CHART_HEIGHT)),
    {
      height: max > min ? CHART_HEIGHT : 1,
      format: (height) => shortNumber(min + (height / CHART_HEIGHT) * (max - min)).padStart(12),
      ...(isColored ? { colors } : {}),
    },
  );
  const legend = shown.map((one, i) => `${isColored ? `${colors[i]}──${reset} ` : `${i + 1}. `}${labelOf(one)}`);
  const more = series.length - CHART_SERIES;
  if (more > 0) legend.push(`and ${more} more; use top(…, ${CHART_SERIES}, 'mean', 'desc') to select series`);
  return `${chart}\n${' '.repeat(14)}${time(fromMs)} to ${time(toMs)}\n${legend.join('\n')}\n`;
}

/**
 * Averages values over `width` equal slices of time. A slice without a value repeats the previous one, or the first.
 */
function resample({ timesMs, values }: ResultSeries, fromMs: number, toMs: number, width: number): number[] {
  const sums = new Float64Array(width);
  const counts = new Uint32Array(width);
  const span = Math.max(1, toMs - fromMs);
  timesMs.forEach((timeMs, i) => {
    if (!Number.isFinite(values[i])) return;
    const at = Math.min(width - 1, Math.floor(((timeMs - fromMs) / span) * width));
    sums[at] += values[i];
    counts[at]++;
  });
  let last = sums.find((_, i) => counts[i] > 0) ?? 0;
  last /= counts.find((count) => count > 0) ?? 1;
  return Array.from(sums, (sum, i) => {
    if (counts[i] > 0) last = sum / counts[i];
    return last;
  });
}

function timesOf(series: readonly ResultSeries[]): number[] {
  return [...new Set(series.flatMap(({ timesMs }) => timesMs))].sort((a, b) => a - b);
}
