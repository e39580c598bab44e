import type { PipelineStatus } from '../api/api-types.ts';
import { formatCount } from '../format/format-value.ts';
import { type Column, DataTable } from './data-table.tsx';

interface Break {
  readonly part: string;
  readonly kind: 'halt' | 'gap';
  /** Undefined when the partition halted because of its log, not of one record. */
  readonly offset: number | undefined;
  /** Missing records; undefined of a halt. */
  readonly records: number | undefined;
  readonly reason: string;
}

/** Halts, which an operator must resolve, and gaps, which are skipped records and stay. Hidden when there are none. */
export function GapsAndHalts({ status: { points, tags } }: { readonly status: PipelineStatus }) {
  const halts = (kind: string, partitions: readonly { partition: number; halted: string; haltedOffset: number }[]) =>
    partitions
      .filter(({ halted }) => halted !== '')
      .map(
        ({ partition, halted, haltedOffset }): Break => ({
          part: `${kind}/${partition}`,
          kind: 'halt',
          offset: haltedOffset < 0 ? undefined : haltedOffset,
          records: undefined,
          reason: halted,
        }),
      );
  const gaps = [...points, ...tags].flatMap((one) =>
    one.gaps.map(
      ({ topic, partition, offset, records, reason }): Break => ({
        ...{ part: `${topic}/${partition}`, kind: 'gap', offset, records, reason },
      }),
    ),
  );
  const rows = [...halts('points', points), ...halts('tags', tags), ...gaps];
  if (rows.length === 0) return null;
  const columns: readonly Column<Break>[] = [
    { name: 'Partition', cell: ({ part }) => part },
    { name: 'Kind', cell: ({ kind }) => kind },
    { name: 'Offset', isNumber: true, cell: ({ offset }) => (offset === undefined ? '–' : formatCount(offset)) },
    { name: 'Records', isNumber: true, cell: ({ records }) => (records === undefined ? '–' : formatCount(records)) },
    { name: 'Reason', cell: ({ reason }) => reason },
  ];
  return (
    <DataTable
      title="Halts and gaps"
      columns={columns}
      rows={rows}
      keyOf={({ part, kind, offset }) => `${part} ${kind} ${offset}`}
      toneOf={({ kind }) => (kind === 'halt' ? 'bad' : 'warn')}
      nothing=""
    />
  );
}
