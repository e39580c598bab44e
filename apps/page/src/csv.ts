import { csvCell } from '@tidemark/model/safe-text';
import type { SeriesTable } from './series-table.ts';

/**
 * Formats the table as CSV (RFC 4180): one row per step with its start in ISO 8601, whether all values of the row are of
 * complete steps, and one column per series. Values have the units of the graph (bytes, percent, seconds); an absent
 * value is empty.
 */
export function toCsv({ timesS, lines }: SeriesTable): string {
  const header = ['time', 'complete', ...lines.map(({ label }) => label)];
  const rows = timesS.flatMap((timeS, row) => {
    const cells = lines.map(({ values }) => (values[row] ?? '').toString());
    if (cells.every((cell) => cell === '')) return [];
    const isComplete = lines.every(({ values, completeRows }) => values[row] === null || row < completeRows);
    return [[new Date(timeS * 1_000).toISOString(), String(isComplete), ...cells]];
  });
  return [header, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('');
}
