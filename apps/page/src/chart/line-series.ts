import uPlot from 'uplot';
import type { Theme } from '../theme/theme.ts';
import { type ChartLine, isolatedRows } from './chart-data.ts';
import { type ChartStyle, isStacked } from './chart-style.ts';
import { areaColour, lineColour } from './palette.ts';

/** Dash of values that may still change, CSS pixels. */
const INCOMPLETE_DASH = [3, 3];
/** Diameter of a value between two gaps, CSS pixels. */
const DOT = 4;

/** Positions of a line's two parts among uPlot's series, of which the first has the times. */
export function seriesIndexes(line: number, lines: number, { drawing }: ChartStyle): readonly [number, number] {
  // Each area of a stack reaches down to zero: the highest is drawn first.
  const place = isStacked(drawing) ? lines - 1 - line : line;
  return [1 + 2 * place, 2 + 2 * place];
}

/** Returns uPlot's series for so many lines: of each its complete part, solid, and its incomplete part, dashed. */
export function lineSeries(theme: Theme, lines: number, style: ChartStyle): uPlot.Series[] {
  const series: uPlot.Series[] = [{}];
  for (let line = 0; line < lines; line++) {
    const [complete, incomplete] = seriesIndexes(line, lines, style);
    series[complete] = partOf(theme, line, style, true);
    series[incomplete] = partOf(theme, line, style, false);
  }
  return series;
}

function partOf(theme: Theme, line: number, { drawing }: ChartStyle, isComplete: boolean): uPlot.Series {
  const colour = lineColour(theme, line);
  return {
    stroke: colour,
    width: drawing === 'bars' ? 1 : 1.5,
    dash: isComplete ? [] : [...INCOMPLETE_DASH],
    points: {
      show: false,
      size: DOT,
      fill: colour,
      width: 0,
      filter: (u, index) => {
        const rows = drawing === 'bars' ? [] : isolatedRows([...u.data[index]]);
        return rows.length === 0 ? null : rows;
      },
    },
    ...(drawing === 'lines' ? {} : { fill: fillOf(theme, line, drawing, isComplete) }),
    ...(drawing === 'bars'
      ? { paths: uPlot.paths.bars?.({ size: [0.9, Number.POSITIVE_INFINITY, 1], align: 1 }) }
      : {}),
  };
}

function fillOf(theme: Theme, line: number, drawing: ChartStyle['drawing'], isComplete: boolean): string {
  if (drawing === 'areas') return `${lineColour(theme, line)}${isComplete ? '1f' : '0f'}`;
  return areaColour(theme, line, isComplete ? (drawing === 'bars' ? 0.85 : 0.45) : 0.2);
}

/** Returns uPlot's data: the times, and the values of each part of each line. */
export function alignedData(timesS: readonly number[], lines: readonly ChartLine[], style: ChartStyle) {
  const data: uPlot.AlignedData = [[...timesS]];
  lines.forEach(({ complete, incomplete }, line) => {
    const [first, second] = seriesIndexes(line, lines.length, style);
    data[first] = [...complete];
    data[second] = [...incomplete];
  });
  return data;
}
