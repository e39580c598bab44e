import { LATE_MARK_MS } from '@tidemark/doctor';
import type { PipelineStatus, PointPartitionStatus } from '../api/api-types.ts';
import { formatClock, formatDuration } from '../format/format-time.ts';
import { formatCount } from '../format/format-value.ts';
import { type Column, DataTable } from './data-table.tsx';
import { positionColumns } from './position-columns.ts';

/** The partitions of the point stores: how far each has read its log, and the age of its watermark. */
export function PartitionsTable({ status }: { readonly status: PipelineStatus }) {
  const { nowMs, forOperator } = status;
  const [name, state, ...reading] = positionColumns('points');
  const marks: readonly Column<PointPartitionStatus>[] = [
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
  ];
  const contents: readonly Column<PointPartitionStatus>[] = [
    { name: 'Open lanes', isNumber: true, cell: ({ lanes }) => lanes.filter(({ open }) => open).length },
    { name: 'Series', isNumber: true, cell: ({ series }) => formatCount(series) },
    { name: 'Points', isNumber: true, cell: ({ points }) => formatCount(points) },
    { name: 'Late', isNumber: true, cell: ({ latePoints }) => formatCount(latePoints) },
    { name: 'Duplicates', isNumber: true, cell: ({ duplicatePoints }) => formatCount(duplicatePoints) },
  ];
  return (
    <DataTable
      title="Point store"
      columns={forOperator ? [name, state, ...reading, ...marks, ...contents] : [name, state, ...marks]}
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
