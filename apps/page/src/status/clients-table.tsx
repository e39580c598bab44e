import { shortId } from '@tidemark/doctor';
import type { PipelineStatus } from '../api/api-types.ts';
import { formatClock, formatDuration } from '../format/format-time.ts';
import { formatCount } from '../format/format-value.ts';
import { type ClientProgress, clientsBehind } from './clients-behind.ts';
import { type Column, DataTable } from './data-table.tsx';

/** An agent that is behind by more than this stands out, ms: two flushes of the slower sort. */
const BEHIND_MS = 20_000;

/** Who sends, and through when each has said that nothing older will come. It gates nothing. */
export function ClientsTable({ status }: { readonly status: PipelineStatus }) {
  const { nowMs } = status;
  const columns: readonly Column<ClientProgress>[] = [
    { name: 'Client', cell: ({ clientSession }) => <code title={clientSession}>{clientSession.slice(0, 8)}</code> },
    { name: 'Tenant', cell: ({ tenant }) => tenant },
    {
      name: 'Delivered through',
      isNumber: true,
      cell: ({ frontierMs }) => (frontierMs === undefined ? 'not said' : formatClock(frontierMs)),
      help: 'the client says that nothing older will come from it',
    },
    {
      name: 'Behind',
      isNumber: true,
      cell: ({ frontierMs }) => (frontierMs === undefined ? '–' : formatDuration(nowMs - frontierMs)),
    },
    { name: 'Batches', isNumber: true, cell: ({ highestSequence }) => formatCount(highestSequence) },
    { name: 'Late points', isNumber: true, cell: ({ latePoints }) => formatCount(latePoints) },
  ];
  return (
    <DataTable
      title="Agents and clients, the furthest behind first"
      columns={columns}
      rows={clientsBehind(status)}
      keyOf={({ clientSession }) => clientSession || shortId('')}
      toneOf={({ frontierMs }) => (frontierMs !== undefined && nowMs - frontierMs > BEHIND_MS ? 'warn' : undefined)}
      nothing="Nobody has sent anything yet."
    />
  );
}
