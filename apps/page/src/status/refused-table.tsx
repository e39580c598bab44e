import { isNoted } from '@tidemark/doctor';
import { printable } from '@tidemark/model/safe-text';
import type { PipelineStatus, RefusedData } from '../api/api-types.ts';
import { formatClock, formatDuration } from '../format/format-time.ts';
import { formatCount } from '../format/format-value.ts';
import { type Column, DataTable } from './data-table.tsx';

const STAGES: Readonly<Record<string, string>> = {
  rejected: 'intake: points',
  violation: 'intake: requests, streams',
  left_out: 'intake: left out, no error',
};

const columnsAt = (nowMs: number): readonly Column<RefusedData>[] => [
  { name: 'Reason', cell: ({ reason }) => <code>{printable(reason)}</code> },
  { name: 'By', cell: (one) => whereOf(one) },
  { name: 'Count', isNumber: true, cell: ({ count }) => formatCount(count) },
  {
    name: 'Since',
    isNumber: true,
    cell: ({ sinceMs }) => (sinceMs === undefined ? 'its start' : formatClock(sinceMs)),
    help: 'the counts of intakes run from the start of their session, those of a client from its own start',
  },
  {
    name: 'Last',
    isNumber: true,
    cell: ({ lastMs }) => (lastMs === undefined ? '–' : `${formatDuration(nowMs - lastMs)} ago`),
  },
  { name: 'Example', cell: ({ example }) => <span className="example">{printable(example)}</span> },
];

/** What intakes, agents and clients refused, dropped or left out, by reason, over all sessions. */
export function RefusedTable({ status: { sessions, nowMs } }: { readonly status: PipelineStatus }) {
  const rows = new Map<string, RefusedData>();
  for (const one of sessions.flatMap(({ refused }) => refused)) {
    const key = keyOf(one);
    const known = rows.get(key);
    const count = one.count + (known?.count ?? 0);
    const sinceMs = ofBoth(Math.min, one.sinceMs, known?.sinceMs);
    const lastMs = ofBoth(Math.max, one.lastMs, known?.lastMs);
    rows.set(key, { ...one, count, sinceMs, lastMs, example: known?.example || one.example });
  }
  const sorted = [...rows.values()].filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  return <DataTable title="Refused data" columns={columnsAt(nowMs)} rows={sorted} keyOf={keyOf} nothing="None." />;
}

function whereOf({ stage, client, reason }: RefusedData): string {
  if (stage !== 'client') return STAGES[stage] ?? stage;
  return isNoted({ stage, reason }) ? `${printable(client)}: noted, not refused` : printable(client);
}

function keyOf({ stage, client, reason }: RefusedData): string {
  return `${stage} ${client} ${reason}`;
}

function ofBoth(
  pick: (...values: number[]) => number,
  a: number | undefined,
  b: number | undefined,
): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : pick(a, b);
}
