import uPlot from 'uplot';
import { formatAxisTime } from '../format/format-time.ts';
import { formatValue } from '../format/format-value.ts';
import type { UnitName } from '../format/units.ts';
import { bridgeSeconds, type IncompleteFrom, type SeriesTable } from '../series-table.ts';
import type { Theme } from '../theme/theme.ts';
import { type ChartStyle, isLogarithmic } from './chart-style.ts';
import { incompleteShade } from './incomplete-shade.ts';
import { lineSeries } from './line-series.ts';
import { CHART_COLOURS } from './palette.ts';

/** Where the cursor is: a row of the table, and the position in the graph, CSS pixels. */
export interface ChartCursor {
  readonly row: number;
  readonly left: number;
  readonly top: number;
  /** Width of the graph, so that what is at the cursor can stay inside. */
  readonly width: number;
}

export interface ChartOptions {
  readonly theme: Theme;
  readonly width: number;
  readonly height: number;
  readonly unit: UnitName;
  readonly lines: number;
  readonly style: ChartStyle;
  /** Charts with the same name share the time of their cursor. */
  readonly sync: string;
  /** Called at each draw, so that new data needs no new chart. */
  readonly table: () => SeriesTable;
  readonly bounds: () => readonly [number, number];
  readonly incompleteFrom: () => IncompleteFrom;
  /** Called with undefined when the cursor leaves the graph. */
  readonly onCursor: (cursor: ChartCursor | undefined) => void;
  /** Called with the selected time range, ms. */
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const RIGHT_PADDING = 12;
/** About the width of a digit in that font, CSS pixels. */
const GLYPH_WIDTH = 6.5;
const AXIS_WIDTH = 68;
/** In a narrow graph the labels are close to the edge, CSS pixels. */
const NARROW = 480;
const NARROW_AXIS_WIDTH = 54;
/** Steps of a byte axis: powers of 2, so that labels come out round. */
const BYTE_STEPS = Array.from({ length: 54 }, (_, power) => 2 ** (power - 4));
/** Distances between labels of a time axis, s. */
const TIME_STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800,
  2_419_200,
];
/** A narrower drag is a click, CSS pixels. */
const MIN_DRAG = 6;

export function uplotOptions(options: ChartOptions): uPlot.Options {
  const colours = CHART_COLOURS[options.theme];
  const axis: uPlot.Axis = {
    font: FONT,
    stroke: colours.axis,
    grid: { stroke: colours.grid, width: 1 },
    ticks: { show: false },
  };
  const isLog = isLogarithmic(options.style);
  const isBytes = !isLog && (options.unit === 'bytes' || options.unit === 'bytes/s');
  return {
    width: options.width,
    height: options.height,
    padding: [8, RIGHT_PADDING, 0, 0],
    legend: { show: false },
    cursor: {
      drag: { x: true, y: false, setScale: false },
      sync: { key: options.sync, setSeries: false },
      points: { size: 7 },
      // Null hides a line's dot, as uPlot documents; its types say number.
      dataIdx: (u, _, closest, x) => nearbyRow(u, options.table(), closest, x) as number,
      y: false,
    },
    scales: {
      x: { time: true, range: () => [...options.bounds()] },
      y: isLog
        ? { distr: 3, log: 10, range: (_, min, max) => rangeOfLogarithms(min, max) }
        : { range: (_, min, max) => rangeOfValues(min, max, options.unit) },
    },
    axes: [
      {
        ...axis,
        size: 28,
        gap: 6,
        space: 64,
        incrs: TIME_STEPS,
        values: (u, splits, _, __, step) => timeLabels(u, splits, step),
      },
      {
        ...axis,
        size: options.width < NARROW ? NARROW_AXIS_WIDTH : AXIS_WIDTH,
        gap: 6,
        space: 32,
        ...(isBytes ? { incrs: BYTE_STEPS } : {}),
        // A logarithmic axis has labels at powers of ten only: the others are null.
        values: (_, splits) => splits.map((value) => (value === null ? '' : formatValue(value, options.unit))),
      },
    ],
    series: lineSeries(options.theme, options.lines, options.style),
    plugins: [incompleteShade(colours, options.incompleteFrom)],
    hooks: {
      setCursor: [
        (u) => {
          const { idx, left = -1, top = -1 } = u.cursor;
          const isOutside = idx === null || idx === undefined || left < 0;
          const row = isOutside ? null : nearbyRow(u, options.table(), idx, u.posToVal(left, 'x'));
          const offset = u.over.offsetLeft;
          options.onCursor(row === null ? undefined : { row, left: left + offset, top, width: u.width });
        },
      ],
      setSelect: [
        (u) => {
          const { left, width } = u.select;
          if (width < MIN_DRAG) return;
          const [from, to] = [left, left + width].map((x) => u.posToVal(x, 'x') * 1_000);
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          options.onZoom(from, to);
        },
      ],
    },
  };
}

/** Returns the row closest to the cursor; null if it is further away than the usual distance of points. */
function nearbyRow(u: uPlot, { timesS, intervalMs }: SeriesTable, closest: number, cursorS: number): number | null {
  const distanceS = Math.abs(u.data[0][closest] - cursorS);
  return distanceS <= bridgeSeconds(timesS, { values: timesS, intervalMs }) ? closest : null;
}

/** Returns the labels of the time axis, without those that the right edge would cut. */
function timeLabels(u: uPlot, splits: readonly number[], stepS: number): string[] {
  const { max } = u.scales.x;
  const edge = max === null || max === undefined ? Number.POSITIVE_INFINITY : u.valToPos(max, 'x') + RIGHT_PADDING;
  return splits.map((timeS) => {
    const label = formatAxisTime(timeS, stepS);
    return u.valToPos(timeS, 'x') + (label.length * GLYPH_WIDTH) / 2 > edge ? '' : label;
  });
}

/** Returns a range of values that includes zero, with room above. A flat line at zero gets a scale of one. */
function rangeOfValues(min: number | null, max: number | null, unit: UnitName): uPlot.Range.MinMax {
  const top = Math.max(0, max ?? 0);
  const bottom = Math.min(0, min ?? 0);
  if (top === bottom) return [0, unit === 'bytes' || unit === 'bytes/s' ? 1_024 : 1];
  const room = (top - bottom) * 0.08;
  const ceiling = unit === 'percent' && top <= 100 ? Math.min(100, top + room) : top + room;
  return [bottom < 0 ? bottom - room : 0, top > 0 ? ceiling : 0];
}

/** Returns whole powers of ten around the values; a graph without a value above zero gets one decade. */
function rangeOfLogarithms(min: number | null, max: number | null): uPlot.Range.MinMax {
  if (min === null || max === null || !(min > 0)) return [0.1, 1];
  return uPlot.rangeLog(min, max, 10, true);
}
