import { useEffect, useLayoutEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { UnitName } from '../format/units.ts';
import type { SeriesTable } from '../series-table.ts';
import type { Bounds } from '../time-range.ts';
import { uplotOptions } from './chart-options.ts';
import type { IncompleteFrom } from './incomplete-shade.ts';
import { useTheme } from './use-theme.ts';

export interface ChartProps {
  /** Accessible name, for readers who don't see the canvas. */
  readonly label: string;
  readonly table: SeriesTable;
  readonly bounds: Bounds;
  readonly incompleteFrom: IncompleteFrom;
  readonly unit: UnitName;
  readonly height: number;
  readonly filled?: boolean;
  readonly sync: string;
  readonly hidden?: ReadonlySet<string>;
  readonly onCursor: (row: number | null) => void;
  readonly onZoom: (fromMs: number, toMs: number) => void;
}

/** A uPlot canvas. It is recreated when its appearance changes; new data only redraw it. */
export function Chart(props: ChartProps) {
  const { label, table, bounds, incompleteFrom, unit, height, filled = false, sync, hidden } = props;
  const theme = useTheme();
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const newest = useRef(props);
  newest.current = props;
  const lines = table.lines.length;

  useLayoutEffect(() => {
    const parent = frame.current;
    if (parent === null) return;
    const options = uplotOptions({
      theme,
      width: parent.clientWidth,
      height,
      unit,
      lines,
      filled,
      sync,
      table: () => newest.current.table,
      bounds: () => [newest.current.bounds.fromMs / 1_000, newest.current.bounds.toMs / 1_000],
      incompleteFrom: () => newest.current.incompleteFrom,
      onCursor: (row) => newest.current.onCursor(row),
      onZoom: (fromMs, toMs) => newest.current.onZoom(fromMs, toMs),
    });
    const built = new uPlot(options, dataOf(newest.current.table), parent);
    chart.current = built;
    const resized = new ResizeObserver(() => built.setSize({ width: parent.clientWidth, height }));
    resized.observe(parent);
    return () => {
      resized.disconnect();
      built.destroy();
      chart.current = undefined;
    };
  }, [theme, height, unit, lines, filled, sync]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: bounds and incompleteFrom are read while drawing
  useEffect(() => {
    const built = chart.current;
    if (built === undefined) return;
    built.batch(() => {
      table.lines.forEach((line, i) => {
        const show = !(hidden?.has(line.label) ?? false);
        if (built.series[i + 1].show !== show) built.setSeries(i + 1, { show });
      });
      built.setData(dataOf(table));
    });
  }, [table, bounds, incompleteFrom, hidden]);

  return <div ref={frame} className="chart" role="img" aria-label={label} style={{ height }} />;
}

function dataOf(table: SeriesTable): uPlot.AlignedData {
  return [[...table.timesS], ...table.lines.map(({ values }) => [...values])];
}
