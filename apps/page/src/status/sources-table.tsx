import { printable } from '@tidemark/model/safe-text';
import type { ClientSource, PipelineStatus } from '../api/api-types.ts';
import { formatClock, formatDuration } from '../format/format-time.ts';
import { type Column, DataTable } from './data-table.tsx';

const columnsAt = (nowMs: number): readonly Column<ClientSource>[] => [
  { name: 'Check, target or server', cell: ({ name }) => <code>{printable(name)}</code> },
  { name: 'Of', cell: ({ client }) => printable(client) },
  { name: 'State', cell: ({ problem }) => (problem === '' ? 'works' : 'fails') },
  {
    name: 'Since',
    isNumber: true,
    cell: ({ sinceMs }) =>
      sinceMs === 0 ? '–' : `${formatClock(sinceMs)} (${formatDuration(Math.max(0, nowMs - sinceMs))})`,
  },
  { name: 'Reason', cell: ({ problem }) => <span className="example">{printable(problem)}</span> },
];

/** What agents read from and listen on; those that fail come first. */
export function SourcesTable({ status: { sessions, nowMs } }: { readonly status: PipelineStatus }) {
  const all = sessions.flatMap(({ sources }) => sources);
  const rows = [...all.filter(({ problem }) => problem !== ''), ...all.filter(({ problem }) => problem === '')];
  return (
    <DataTable
      title="Checks and targets"
      columns={columnsAt(nowMs)}
      rows={rows}
      keyOf={({ client, name }) => `${client} ${name}`}
      toneOf={({ problem }) => (problem === '' ? undefined : 'bad')}
      nothing="No agent is connected."
    />
  );
}
