import type { RefusedData, SessionStatus } from '../api/api-types.ts';
import { formatCount } from '../format/format-value.ts';
import { printable } from '../printable.ts';
import { type Column, DataTable } from './data-table.tsx';

const STAGES: Readonly<Record<string, string>> = {
  rejected: 'intake: points',
  violation: 'intake: requests, streams',
  left_out: 'intake: left out, no error',
};

const COLUMNS: readonly Column<RefusedData>[] = [
  { name: 'Reason', cell: ({ reason }) => <code>{printable(reason)}</code> },
  { name: 'By', cell: ({ stage, client }) => (stage === 'client' ? printable(client) : (STAGES[stage] ?? stage)) },
  { name: 'Count', isNumber: true, cell: ({ count }) => formatCount(count) },
  { name: 'Example', cell: ({ example }) => <span className="example">{printable(example)}</span> },
];

/** What intakes, agents and clients refused, dropped or left out, by reason, over all sessions. */
export function RefusedTable({ sessions }: { readonly sessions: readonly SessionStatus[] }) {
  const rows = new Map<string, RefusedData>();
  for (const one of sessions.flatMap(({ refused }) => refused)) {
    const key = keyOf(one);
    const known = rows.get(key);
    const count = one.count + (known?.count ?? 0);
    rows.set(key, { ...one, count, example: known?.example || one.example });
  }
  const sorted = [...rows.values()].filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  return <DataTable title="Refused data" columns={COLUMNS} rows={sorted} keyOf={keyOf} nothing="None." />;
}

function keyOf({ stage, client, reason }: RefusedData): string {
  return `${stage} ${client} ${reason}`;
}
