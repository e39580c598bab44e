import type { SeriesTable } from './series-table.ts';

/**
 * Formats the table as CSV (RFC 4180): one row per step with its start in ISO 8601, whether the step is complete, and
 * one column per series. Values have the units of the graph (bytes, percent, seconds); an absent value is empty.
 */
export function toCsv(table: SeriesTable, completeThroughMs: number | undefined): string {
  const header = ['time', 'complete', ...table.lines.map(({ label }) => label)];
  const rows = table.timesS.map((timeS, row) => {
    const endMs = timeS * 1_000 + table.intervalMs;
    const isComplete = completeThroughMs !== undefined && endMs <= completeThroughMs;
    const values = table.lines.map(({ values }) => (values[row] ?? '').toString());
    return [new Date(timeS * 1_000).toISOString(), String(isComplete), ...values];
  });
  return [header, ...rows].map((row) => `${row.map(escapeField).join(',')}\r\n`).join('');
}

function escapeField(field: string): string {
  // Spreadsheets run a cell that begins with a sign or a formula character.
  const safe = /^[=@\t]|^[-+](?![\d.])/.test(field) ? `'${field}` : field;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
