import type { TagPartitionStatus } from '../api/api-types.ts';
import { formatCount } from '../format/format-value.ts';
import { type Column, DataTable } from './data-table.tsx';
import { positionColumns } from './position-columns.ts';

const COLUMNS: readonly Column<TagPartitionStatus>[] = [
  ...positionColumns('tags'),
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
