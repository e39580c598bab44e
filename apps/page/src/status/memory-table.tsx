import type { HeldMemory, PipelineStatus } from '../api/api-types.ts';
import { formatValue } from '../format/format-value.ts';
import { type Column, DataTable } from './data-table.tsx';

const bytes = (count: number): string => formatValue(count, 'bytes');

const COLUMNS: readonly Column<HeldMemory>[] = [
  { name: 'Memory of', cell: ({ holder }) => holder },
  {
    name: 'All',
    isNumber: true,
    cell: ({ holder, parts }) =>
      bytes(
        parts
          .filter(({ part }) => holder !== 'process' || part === 'resident')
          .reduce((sum, one) => sum + one.bytes, 0),
      ),
    help: 'of the process: what the system keeps in RAM; partitions are in the memory of their threads',
  },
  {
    name: 'Parts',
    cell: ({ parts }) => parts.map(({ part, bytes: size }) => `${part.replaceAll('_', ' ')} ${bytes(size)}`).join(', '),
  },
];

/** What the process that answered, its threads and the partitions have in memory. */
export function MemoryTable({ status: { memory, points, tags } }: { readonly status: PipelineStatus }) {
  const partitions = [
    ...points.map(({ partition, memory: parts }) => ({ holder: `points/${partition}`, parts })),
    ...tags.map(({ partition, memory: parts }) => ({ holder: `tags/${partition}`, parts })),
  ];
  return (
    <DataTable
      title="Memory"
      columns={COLUMNS}
      rows={[...memory, ...partitions].filter(({ parts }) => parts.length > 0)}
      keyOf={({ holder }) => holder}
      nothing="No part has reported its memory yet."
    />
  );
}
