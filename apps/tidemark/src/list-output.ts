import { csvCell, printable } from '@tidemark/model/safe-text';
import Table from 'cli-table3';

export type Row = readonly (string | number)[];

/** Formats rows as a table, whose received texts become printable. */
export function tableOf(head: readonly string[], rows: readonly Row[]): string {
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } });
  for (const row of rows) table.push(row.map((cell) => (typeof cell === 'string' ? printable(cell) : cell)));
  return table.toString();
}

/** Formats rows as CSV, with a line of the names of the columns. */
export function csvOf(head: readonly string[], rows: readonly Row[]): string {
  return `${[head, ...rows].map((row) => row.map((cell) => csvCell(String(cell))).join(',')).join('\n')}\n`;
}
