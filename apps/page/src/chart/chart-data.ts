import { bridgeSeconds, type Line, type SeriesTable } from '../series-table.ts';
import { type ChartStyle, type Drawing, isLogarithmic, isStacked } from './chart-style.ts';

/** Null is a gap of the line; undefined is a row of other lines, across which the line continues. */
export type ChartValues = readonly (number | null | undefined)[];

/** A line in two parts, which never meet: what is complete, and what may still change. */
export interface ChartLine {
  readonly complete: ChartValues;
  readonly incomplete: ChartValues;
}

/**
 * Returns what is drawn of each line of a table. The complete part holds its last value to the end of its step, where
 * the incomplete part begins: nothing left of that time leans towards a value that may still change.
 */
export function chartLines(table: SeriesTable, style: ChartStyle, isHidden: (key: string) => boolean): ChartLine[] {
  const { timesS, lines } = table;
  const bridged = lines.map((line) => bridge(timesS, line));
  const drawn = isStacked(style.drawing) ? stack(lines, bridged, isHidden) : bridged;
  const shown = isLogarithmic(style) ? drawn.map(aboveZero) : drawn;
  return lines.map((line, i) => split(table, line, shown[i], style.drawing));
}

function bridge(timesS: readonly number[], line: Line): ChartValues {
  const limitS = bridgeSeconds(timesS, line);
  const { values } = line;
  const out: (number | null | undefined)[] = [...values];
  let before = -1;
  for (const [row, value] of values.entries()) {
    if (value === null) continue;
    if (before >= 0 && timesS[row] - timesS[before] <= limitS) out.fill(undefined, before + 1, row);
    before = row;
  }
  return out;
}

/**
 * Adds up the lines row by row, values above and below zero apart. A line without a value in a row that is not a gap counts
 * with its value before.
 */
function stack(lines: readonly Line[], bridged: readonly ChartValues[], isHidden: (key: string) => boolean) {
  const above: number[] = [];
  const below: number[] = [];
  return lines.map((line, i) => {
    if (isHidden(line.key)) return bridged[i];
    let before = 0;
    return bridged[i].map((value, row) => {
      if (value === null) return null;
      before = value ?? before;
      const sums = before < 0 ? below : above;
      sums[row] = (sums[row] ?? 0) + before;
      return sums[row];
    });
  });
}

/** Values that a logarithmic scale can't show are gaps. */
function aboveZero(values: ChartValues): ChartValues {
  return values.map((value) => (typeof value === 'number' && !(value > 0) ? null : value));
}

function split(table: SeriesTable, line: Line, values: ChartValues, drawing: Drawing): ChartLine {
  const { timesS, incompleteFrom } = table;
  const { completeRows } = line;
  const complete = values.map((value, row) => (row < completeRows ? value : null));
  const incomplete = values.map((value, row) => (row < completeRows ? null : value));
  const lastRow = lastValueBefore(values, completeRows);
  // A bar covers its step by itself.
  if (drawing !== 'bars' && lastRow >= 0) {
    const endRow = timesS.indexOf(timesS[lastRow] + line.intervalMs / 1_000, lastRow);
    if (endRow >= completeRows || timesS[endRow] * 1_000 === incompleteFrom) complete[endRow] = values[lastRow];
  }
  return { complete, incomplete };
}

function lastValueBefore(values: ChartValues, end: number): number {
  for (let row = end - 1; row >= 0; row--) if (typeof values[row] === 'number') return row;
  return -1;
}

/** Returns the rows of values that have a gap on both sides: a line through one point has no length. */
export function isolatedRows(values: ChartValues): number[] {
  const rows: number[] = [];
  let hasNeighbor = false;
  for (const [row, value] of values.entries()) {
    if (value === null) hasNeighbor = false;
    if (typeof value !== 'number') continue;
    const next = values.slice(row + 1).find((one) => one !== undefined);
    if (!hasNeighbor && typeof next !== 'number') rows.push(row);
    hasNeighbor = true;
  }
  return rows;
}
