import { LATE_MARK_MS, shortId } from '@tidemark/doctor';
import type { PipelineStatus, SessionStatus } from '../api/api-types.ts';
import { formatDuration } from '../format/format-time.ts';
import { formatCount, formatValue } from '../format/format-value.ts';
import { type Column, DataTable } from './data-table.tsx';

/** Columns that are withheld from callers who are not operators. */
const OF_PROCESSES = ['Process', 'Queued'];

/** The sessions of intakes. A session that is not renewed is fenced. */
export function SessionsTable({ status }: { readonly status: PipelineStatus }) {
  const { sessions, nowMs, forOperator } = status;
  const all: readonly Column<SessionStatus>[] = [
    { name: 'Session', cell: ({ session }) => <code title={session}>{shortId(session)}</code> },
    { name: 'Process', cell: ({ process }) => process },
    { name: 'State', cell: ({ state }) => state },
    {
      name: 'Renewed',
      isNumber: true,
      cell: ({ renewedMs }) => (renewedMs > 0 ? `${formatDuration(nowMs - renewedMs)} ago` : 'never'),
    },
    { name: 'Streams', isNumber: true, cell: reported(({ streams }) => formatCount(streams)) },
    { name: 'Queued', isNumber: true, cell: reported(({ queuedBytes }) => formatValue(queuedBytes, 'bytes')) },
    {
      name: 'Rejected points',
      isNumber: true,
      cell: reported(({ rejectedPoints }) => formatCount(totalOf(rejectedPoints))),
    },
  ];
  return (
    <DataTable
      title="Intake sessions"
      columns={forOperator ? all : all.filter(({ name }) => !OF_PROCESSES.includes(name))}
      rows={sessions}
      keyOf={({ session }) => session}
      toneOf={({ state, renewedMs }) => {
        if (state !== 'open') return 'quiet';
        return nowMs - renewedMs > 2 * LATE_MARK_MS ? 'warn' : undefined;
      }}
      nothing={forOperator ? 'No intake has registered yet.' : 'No intake has data of this tenant.'}
    />
  );
}

/** Shows a figure that only the intake itself has, or a question mark with the reason why it is unknown. */
function reported(text: (session: SessionStatus) => string): Column<SessionStatus>['cell'] {
  return (session) => (session.unknownReason === '' ? text(session) : <span title={session.unknownReason}>?</span>);
}

function totalOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
