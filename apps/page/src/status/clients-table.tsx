import { shortId } from '@tidemark/doctor';
import { printable } from '@tidemark/model/safe-text';
import type { PipelineStatus } from '../api/api-types.ts';
import { formatClock, formatDuration } from '../format/format-time.ts';
import { formatCount } from '../format/format-value.ts';
import { type ClientProgress, clientsBehind } from './clients-behind.ts';
import { type Column, DataTable } from './data-table.tsx';

/** A client that is further behind is highlighted, ms: two flush intervals of a slow client. */
const BEHIND_MS = 20_000;

/** The clients and their frontiers, which are shown only: completeness does not depend on them. */
export function ClientsTable({ status }: { readonly status: PipelineStatus }) {
  const { nowMs } = status;
  const columns: readonly Column<ClientProgress>[] = [
    { name: 'Client', cell: ({ clientSession }) => <code title={clientSession}>{clientSession.slice(0, 8)}</code> },
    { name: 'Name', cell: nameCell },
    { name: 'Tenant', cell: ({ tenant }) => tenant },
    {
      name: 'Delivered through',
      isNumber: true,
      cell: ({ frontierMs }) => (frontierMs === undefined ? 'not declared' : formatClock(frontierMs)),
      help: 'the client declared that it sends no points before this time',
    },
    {
      name: 'Behind',
      isNumber: true,
      cell: ({ frontierMs }) => (frontierMs === undefined ? '–' : formatDuration(nowMs - frontierMs)),
    },
    { name: 'Batches', isNumber: true, cell: ({ highestSequence }) => formatCount(highestSequence + 1) },
    { name: 'Late points', isNumber: true, cell: ({ latePoints }) => formatCount(latePoints) },
  ];
  return (
    <DataTable
      title="Agents and clients, the furthest behind first"
      columns={columns}
      rows={clientsBehind(status)}
      keyOf={({ clientSession }) => clientSession || shortId('')}
      toneOf={({ isConnected, frontierMs }) => {
        if (isConnected === false) return 'quiet';
        return frontierMs !== undefined && nowMs - frontierMs > BEHIND_MS ? 'warn' : undefined;
      }}
      nothing="No client has sent points yet."
    />
  );
}

function nameCell({ name, isConnected }: ClientProgress): string {
  if (name === undefined) return isConnected === undefined ? '?' : 'not seen since the start';
  if (isConnected === true) return printable(name);
  return `${printable(name)}, ${isConnected === undefined ? '?' : 'not connected'}`;
}
