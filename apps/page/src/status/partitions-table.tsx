import { LATE_MARK_MS } from '@tidemark/doctor';
import type { PipelineStatus, PointPartitionStatus } from '../api/api-types.ts';
import { formatClock, formatDuration } from '../format/format-time.ts';
import { formatCount } from '../format/format-value.ts';
import { type Column, DataTable } from './data-table.tsx';

/** The partitions of the point stores: how far each has read its log, and the age of its watermark. */
export function PartitionsTable({ status }: { readonly status: PipelineStatus }) {
  const { nowMs } = status;
  const columns: readonly Column<PointPartitionStatus>[] = [
    { name: 'Partition', cell: ({ partition }) => `points/${partition}` },
    { name: 'State', cell: ({ halted }) => (halted === '' ? 'running' : 'halted') },
    { name: 'Offset', isNumber: true, cell: ({ offset }) => formatCount(offset), help: 'the next record to apply' },
    {
      name: 'Lag',
      isNumber: true,
      cell: ({ offset, logNext }) => formatCount(Math.max(0, logNext - offset)),
      help: 'records in the log that are not applied yet',
    },
    {
      name: 'Not committed',
      isNumber: true,
      cell: ({ offset, committedOffset }) => formatCount(Math.max(0, offset - committedOffset)),
      help: 'applied records that a restart after a crash reads again from the log',
    },
    {
      name: 'Watermark',
      isNumber: true,
      cell: ({ watermarkMs }) => (watermarkMs === undefined ? 'none yet' : formatClock(watermarkMs)),
      help: 'every point accepted before this time has been applied',
    },
    {
      name: 'Age',
      isNumber: true,
      cell: ({ watermarkMs }) => (watermarkMs === undefined ? '–' : formatDuration(nowMs - watermarkMs)),
    },
    { name: 'Open lanes', isNumber: true, cell: ({ lanes }) => lanes.filter(({ open }) => open).length },
    { name: 'Series', isNumber: true, cell: ({ series }) => formatCount(series) },
    { name: 'Points', isNumber: true, cell: ({ points }) => formatCount(points) },
    { name: 'Late', isNumber: true, cell: ({ latePoints }) => formatCount(latePoints) },
    { name: 'Duplicates', isNumber: true, cell: ({ duplicatePoints }) => formatCount(duplicatePoints) },
  ];
  return (
    <DataTable
      title="Point store"
      columns={columns}
      rows={status.points}
      keyOf={({ partition }) => String(partition)}
      toneOf={({ halted, watermarkMs }) => {
        if (halted !== '') return 'bad';
        return watermarkMs === undefined || nowMs - watermarkMs > LATE_MARK_MS ? 'warn' : undefined;
      }}
      nothing="No partition has answered."
    />
  );
}
