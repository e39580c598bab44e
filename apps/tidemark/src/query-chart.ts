import { shortNumber, time } from './printable.ts';
import { drawLines } from './terminal-lines.ts';

export interface ChartSeries {
  readonly label: string;
  /** Step starts, ms, ascending. */
  readonly timesMs: readonly number[];
  readonly values: readonly number[];
  /** Of the steps, from the first on; the others may still change. */
  readonly completeSteps: number;
}

const CHART_SERIES = 8;
const CHART_HEIGHT = 15;
const CHART_WIDTH = 100;
/** Width of the labels of the axis, and with the axis itself. */
const LABEL_WIDTH = 12;
const AXIS_WIDTH = LABEL_WIDTH + 2;
const RESET = '\u001b[0m';
/** Blue, red, green, yellow, magenta, cyan, light gray and light red. */
const COLORS = [34, 31, 32, 33, 35, 36, 37, 91].map((code) => `\u001b[${code}m`);
/** What each line is drawn with where there are several and no colors. */
const MARKS = ['1', '2', '3', '4', '5', '6', '7', '8'];
/** A longer distance between two points is a gap, in usual distances of the series. */
const GAP_DISTANCES = 1.5;

/**
 * Draws the first series as lines of text. Steps that are not complete are dashed, with `~` below them. A time without a
 * value is a gap.
 */
export function chartOf(series: readonly ChartSeries[], isColored: boolean): string {
  const shown = series.slice(0, CHART_SERIES).filter(({ values }) => values.some(Number.isFinite));
  if (shown.length === 0) return noFinite(series);
  const times = [...new Set(shown.flatMap(({ timesMs }) => timesMs))].sort((a, b) => a - b);
  const [fromMs, toMs] = [times[0], times[times.length - 1]];
  const slices = { fromMs, toMs, width: Math.min(CHART_WIDTH, times.length) };
  const completeColumns = Math.min(...shown.map((one) => completeSlicesOf(one, slices)));
  const paint = (line: number, text: string) => (isColored ? `${COLORS[line]}${text}${RESET}` : text);
  const rows = drawLines(
    shown.map((one) => resample(one, slices)),
    { height: CHART_HEIGHT, completeColumns, paint, ...(isColored || shown.length === 1 ? {} : { marks: MARKS }) },
  );
  const chart = rows.map(({ level, text }) => `${shortNumber(level).padStart(LABEL_WIDTH)} ┤${text}`);
  const incomplete = slices.width - completeColumns;
  if (incomplete > 0) {
    chart.push(`${' '.repeat(AXIS_WIDTH + completeColumns)}${'~'.repeat(incomplete)} not complete yet`);
  }
  chart.push(`${' '.repeat(AXIS_WIDTH)}${time(fromMs)} to ${time(toMs)}`);
  for (const [i, { label }] of shown.entries())
    chart.push(`${isColored ? paint(i, '──') : shown.length === 1 ? '1.' : MARKS[i]} ${label}`);
  const more = series.length - CHART_SERIES;
  if (more > 0) chart.push(`and ${more} more; use top(…, ${CHART_SERIES}, 'mean', 'desc') to select series`);
  return `${chart.join('\n')}\n`;
}

function noFinite(series: readonly ChartSeries[]): string {
  if (!series.some(({ values }) => values.some((value) => !Number.isNaN(value)))) return 'no points in this range\n';
  return 'all values are infinite, which a chart cannot show; use --format table\n';
}

/** Equal slices of time, one per column; the last one ends after `toMs`. */
interface Slices {
  readonly fromMs: number;
  readonly toMs: number;
  readonly width: number;
}

function sliceOf(timeMs: number, { fromMs, toMs, width }: Slices): number {
  const span = Math.max(1, toMs - fromMs);
  return Math.min(width - 1, Math.floor(((timeMs - fromMs) / span) * width));
}

/** Returns how many slices, from the first on, have complete steps only. */
function completeSlicesOf({ timesMs, completeSteps }: ChartSeries, slices: Slices): number {
  return completeSteps >= timesMs.length ? slices.width : sliceOf(timesMs[completeSteps], slices);
}

/**
 * Averages the values of each slice. A slice without a value repeats the one before it within the usual distance of the
 * points, and is NaN beyond that.
 */
function resample({ timesMs, values }: ChartSeries, slices: Slices): number[] {
  const counts = new Uint32Array(slices.width);
  for (const [i, timeMs] of timesMs.entries()) if (Number.isFinite(values[i])) counts[sliceOf(timeMs, slices)]++;
  const means = new Array<number>(slices.width).fill(Number.NaN);
  for (const [i, timeMs] of timesMs.entries()) {
    if (!Number.isFinite(values[i])) continue;
    const at = sliceOf(timeMs, slices);
    // Each value is divided first, so that the sum does not overflow.
    means[at] = (Number.isNaN(means[at]) ? 0 : means[at]) + values[i] / counts[at];
  }
  const sliceMs = Math.max(1, slices.toMs - slices.fromMs) / slices.width;
  const bridged = Math.floor((GAP_DISTANCES * usualDistanceMs(timesMs)) / sliceMs);
  let since = Number.POSITIVE_INFINITY;
  for (let at = 0; at < slices.width; at++) {
    since = Number.isNaN(means[at]) ? since + 1 : 0;
    if (since > 0 && since < bridged) means[at] = means[at - 1];
  }
  return means;
}

/** The median distance of two neighbors. */
function usualDistanceMs(timesMs: readonly number[]): number {
  const distances = timesMs.slice(1).map((timeMs, i) => timeMs - timesMs[i]);
  return distances.sort((a, b) => a - b)[distances.length >> 1] ?? 0;
}
