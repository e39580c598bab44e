import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatMoment } from '../format/format-time.ts';
import { formatValue } from '../format/format-value.ts';
import type { UnitName } from '../format/units.ts';
import type { SeriesTable } from '../series-table.ts';
import { useTheme } from '../theme/use-theme.ts';
import type { Bounds } from '../time-range.ts';
import { chartLines } from './chart-data.ts';
import { type ChartCursor, uplotOptions } from './chart-options.ts';
import { type ChartStyle, DEFAULT_STYLE } from './chart-style.ts';
import { ChartTooltip } from './chart-tooltip.tsx';
import { alignedData, seriesIndexes } from './line-series.ts';

export interface ChartProps {
  /** Accessible name, for readers who don't see the canvas. */
  readonly label: string;
  readonly table: SeriesTable;
  readonly bounds: Bounds;
  readonly unit: UnitName;
  readonly height: number;
  readonly style?: ChartStyle;
  readonly sync: string;
  /** Keys of lines that are not drawn. */
  readonly hidden?: ReadonlySet<string>;
  readonly onCursor: (row: number | null) => void;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

const NONE: ReadonlySet<string> = new Set();

/** A uPlot canvas. It is recreated when its appearance changes; new data only redraw it. */
export function Chart(props: ChartProps) {
  const { label, table, bounds, unit, height, style = DEFAULT_STYLE, sync, hidden = NONE } = props;
  const theme = useTheme();
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const newest = useRef(props);
  newest.current = props;
  const [cursor, setCursor] = useState<ChartCursor>();
  const lines = table.lines.length;

  // biome-ignore lint/correctness/useExhaustiveDependencies: a style is equal when its fields are
  useLayoutEffect(() => {
    const parent = frame.current;
    if (parent === null) return;
    const options = uplotOptions({
      theme,
      width: parent.clientWidth,
      height,
      unit,
      lines,
      style,
      sync,
      table: () => newest.current.table,
      bounds: () => [newest.current.bounds.fromMs / 1_000, newest.current.bounds.toMs / 1_000],
      incompleteFrom: () => newest.current.table.incompleteFrom,
      onCursor: (at) => {
        newest.current.onCursor(at?.row ?? null);
        // Charts with the same time at their cursor show it, and only that of the pointer or the keyboard explains it.
        setCursor(parent.matches(':hover, :focus-visible') ? at : undefined);
      },
      onZoom: (fromMs, toMs) => newest.current.onZoom(fromMs, toMs),
    });
    const built = new uPlot(options, dataOf(newest.current), parent);
    chart.current = built;
    const resized = new ResizeObserver(() => built.setSize({ width: parent.clientWidth, height }));
    resized.observe(parent);
    return () => {
      resized.disconnect();
      built.destroy();
      chart.current = undefined;
    };
  }, [theme, height, unit, lines, style.drawing, style.scale, sync]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: bounds are read while drawing
  useEffect(() => {
    const built = chart.current;
    if (built === undefined) return;
    built.batch(() => {
      table.lines.forEach(({ key }, i) => {
        for (const index of seriesIndexes(i, table.lines.length, style)) {
          const show = !hidden.has(key);
          if (built.series[index].show !== show) built.setSeries(index, { show });
        }
      });
      built.setData(dataOf(newest.current));
    });
  }, [table, bounds, hidden]);

  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the role is among the properties of cursorSlider */}
      <div
        ref={frame}
        className="chart"
        style={{ height }}
        {...cursorSlider(label, table, cursor)}
        onKeyDown={(event) => moveCursor(event, chart.current, table, cursor)}
      />
      {cursor !== undefined && cursor.row < table.timesS.length && (
        <ChartTooltip table={table} cursor={cursor} hidden={hidden} />
      )}
    </>
  );
}

function dataOf({ table, style = DEFAULT_STYLE, hidden = NONE }: ChartProps): uPlot.AlignedData {
  return alignedData(
    table.timesS,
    chartLines(table, style, (key) => hidden.has(key)),
    style,
  );
}

/** The graph is a slider over its times for the keyboard and for screen readers. */
function cursorSlider(label: string, { timesS, lines }: SeriesTable, cursor: ChartCursor | undefined) {
  const row = Math.min(cursor?.row ?? timesS.length - 1, timesS.length - 1);
  const values = lines
    .slice(0, 5)
    .map(({ label: name, values, unit }) => `${name} ${formatValue(values[row], unit.name)}`);
  return {
    role: 'slider',
    tabIndex: 0,
    'aria-label': label,
    'aria-valuemin': 0,
    'aria-valuemax': Math.max(0, timesS.length - 1),
    'aria-valuenow': Math.max(0, row),
    'aria-valuetext': row < 0 ? 'no values' : `${formatMoment(timesS[row] * 1_000, Date.now())}: ${values.join(', ')}`,
  } as const;
}

/** Moves the cursor by a row, or to the first or last one; Escape removes it. */
function moveCursor(
  event: KeyboardEvent,
  chart: uPlot | undefined,
  { timesS }: SeriesTable,
  cursor: ChartCursor | undefined,
): void {
  const last = timesS.length - 1;
  const row = cursor?.row ?? last;
  const to = { ArrowLeft: row - 1, ArrowRight: row + 1, Home: 0, End: last, Escape: -1 }[event.key];
  if (chart === undefined || to === undefined || last < 0) return;
  event.preventDefault();
  if (event.key === 'Escape') chart.setCursor({ left: -10, top: -10 });
  else {
    const timeS = timesS[Math.min(last, Math.max(0, to))];
    chart.setCursor({ left: chart.valToPos(timeS, 'x'), top: chart.over.clientHeight / 3 });
  }
}
