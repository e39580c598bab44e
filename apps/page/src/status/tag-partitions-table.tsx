import type { TagPartitionStatus } from '../api/api-types.ts';
import { formatCount } from '../format/format-value.ts';
import { type Column, DataTable } from './data-table.tsx';

const COLUMNS: readonly Column<TagPartitionStatus>[] = [
  { name: 'Partition', cell: ({ partition }) => `tags/${partition}` },
  { name: 'State', cell: ({ halted }) => (halted === '' ? 'running' : 'halted') },
  { name: 'Offset', isNumber: true, cell: ({ offset }) => formatCount(offset) },
  { name: 'Lag', isNumber: true, cell: ({ offset, logNext }) => formatCount(Math.max(0, logNext - offset)) },
  {
    name: 'Not committed',
    isNumber: true,
    cell: ({ offset, committedOffset }) => formatCount(Math.max(0, offset - committedOffset)),
  },
  { name: 'Metrics', isNumber: true, cell: ({ metrics }) => formatCount(metrics) },
  { name: 'Series', isNumber: true, cell: ({ series }) => formatCount(series) },
];

/** The partitions of the tag stores. */
export function TagPartitionsTable({ partitions }: { readonly partitions: readonly TagPartitionStatus[] }) {
  return (
    <DataTable
      title="Tag store"
      columns={COLUMNS}
      rows={partitions}
      keyOf={({ partition }) => String(partition)}
      toneOf={({ halted }) => (halted === '' ? undefined : 'bad')}
      nothing="No partition has answered."
    />
  );
}
