export interface DrawOptions {
  /** Rows between the lowest and the highest value. */
  readonly height: number;
  /** Columns, from the first on, that are drawn solid; the others are dashed. */
  readonly completeColumns: number;
  /** A character for each line, in place of the solid and dashed ones. */
  readonly marks?: readonly string[];
  /** Colors a character of a line. */
  readonly paint: (line: number, text: string) => string;
}

export interface DrawnRow {
  /** The value at the height of the row. */
  readonly level: number;
  readonly text: string;
}

const DASHED: Readonly<Record<string, string>> = { '─': '┄', '│': '┆' };

/**
 * Draws lines of one value per column with characters, the highest row first. A value that is not finite is a gap; at
 * least one is finite.
 */
export function drawLines(lines: readonly (readonly number[])[], options: DrawOptions): DrawnRow[] {
  const { height, completeColumns, paint, marks } = options;
  const finite = lines.flat().filter(Number.isFinite);
  const min = finite.reduce((a, b) => Math.min(a, b));
  const max = finite.reduce((a, b) => Math.max(a, b));
  const rows = max > min ? height + 1 : 1;
  // Halved first: the difference of two finite numbers may overflow.
  const spread = max / 2 - min / 2 || 1;
  const rowOf = (value: number): number => Math.round(((value / 2 - min / 2) / spread) * (rows - 1));
  const width = Math.max(...lines.map((line) => line.length));
  const cells = Array.from({ length: rows }, () => new Array<string>(width).fill(' '));
  for (const [line, values] of lines.entries()) {
    for (const [column, value] of values.entries()) {
      if (!Number.isFinite(value)) continue;
      const before = values[column - 1] ?? Number.NaN;
      drawStep(rowOf(Number.isFinite(before) ? before : value), rowOf(value), (row, char) => {
        const drawn = column < completeColumns ? char : (DASHED[char] ?? char);
        cells[row][column] = paint(line, marks?.[line] ?? drawn);
      });
    }
  }
  const levelOf = (row: number): number => (rows === 1 ? min : min * (1 - row / height) + max * (row / height));
  return cells.map((row, i) => ({ level: levelOf(i), text: row.join('') })).reverse();
}

/** Draws the way from one row to another within a column; row 0 is the lowest. */
function drawStep(from: number, to: number, put: (row: number, char: string) => void): void {
  if (from === to) {
    put(to, '─');
    return;
  }
  put(from, from < to ? '╯' : '╮');
  put(to, from < to ? '╭' : '╰');
  for (let row = Math.min(from, to) + 1; row < Math.max(from, to); row++) put(row, '│');
}
