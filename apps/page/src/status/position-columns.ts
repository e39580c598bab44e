import type { PartitionStatus } from '../api/api-types.ts';
import { formatCount } from '../format/format-value.ts';
import type { Column } from './data-table.tsx';

/** How far a store has read a partition of `topic`, for the tables of both kinds of stores. */
export function positionColumns(topic: 'points' | 'tags'): readonly Column<PartitionStatus>[] {
  return [
    { name: 'Partition', cell: ({ partition }) => `${topic}/${partition}` },
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
  ];
}
