import { LATE_MARK_MS, shortId } from '@tidemark/doctor';
import type { LaneStatus, PipelineStatus } from '../api/api-types.ts';
import { formatDuration } from '../format/format-time.ts';
import { formatCount } from '../format/format-value.ts';
import { type Column, DataTable } from './data-table.tsx';

interface PartitionLane extends LaneStatus {
  readonly partition: number;
}

/** The lanes that the point stores know: open lanes first, the oldest mark first. */
export function LanesTable({ status: { points, nowMs } }: { readonly status: PipelineStatus }) {
  const lanes = points
    .flatMap(({ partition, lanes }) => lanes.map((lane): PartitionLane => ({ ...lane, partition })))
    .sort((a, b) => Number(b.open) - Number(a.open) || a.markMs - b.markMs);
  const columns: readonly Column<PartitionLane>[] = [
    { name: 'Lane', cell: ({ partition, lane }) => `points/${partition} · ${lane}` },
    { name: 'Session', cell: ({ session }) => <code title={session}>{shortId(session)}</code> },
    { name: 'State', cell: ({ open }) => (open ? 'open' : 'ended') },
    { name: 'Last mark', isNumber: true, cell: ({ markMs }) => (markMs > 0 ? formatDuration(nowMs - markMs) : 'none') },
    { name: 'Sequence', isNumber: true, cell: ({ sequence }) => formatCount(sequence) },
  ];
  return (
    <DataTable
      title="Lanes"
      columns={columns}
      rows={lanes}
      keyOf={({ partition, session, lane }) => `${partition} ${session} ${lane}`}
      toneOf={({ open, markMs }) => (open ? (nowMs - markMs > LATE_MARK_MS ? 'warn' : undefined) : 'quiet')}
      nothing="No intake has opened a lane yet."
    />
  );
}
