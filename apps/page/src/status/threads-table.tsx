import { LATE_THREAD_MS, LATE_THREAD_NOTED_MS } from '@tidemark/model/thread-delay';
import type { PipelineStatus, ThreadDelay } from '../api/api-types.ts';
import { formatDuration } from '../format/format-time.ts';
import { type Column, DataTable } from './data-table.tsx';

/** How long each thread of the process kept its other work waiting. */
export function ThreadsTable({ status: { threads, nowMs } }: { readonly status: PipelineStatus }) {
  const ago = (atMs: number): string => `${formatDuration(Math.max(0, nowMs - atMs))} ago`;
  const columns: readonly Column<ThreadDelay>[] = [
    { name: 'Thread', cell: ({ thread }) => thread },
    {
      name: 'Delay, 10 s',
      isNumber: true,
      cell: ({ windowMaxMs }) => `${windowMaxMs} ms`,
      help: 'the longest time by which a timer was late in the last 10 s',
    },
    { name: 'p99, 10 s', isNumber: true, cell: ({ windowP99Ms }) => `${windowP99Ms} ms` },
    {
      name: 'Delay, since start',
      isNumber: true,
      cell: ({ maxMs, maxAtMs }) => (maxAtMs === undefined ? `${maxMs} ms` : `${maxMs} ms, ${ago(maxAtMs)}`),
    },
    { name: 'p99, since start', isNumber: true, cell: ({ p99Ms }) => `${p99Ms} ms` },
    {
      name: `Longest of ${LATE_THREAD_NOTED_MS / 60_000} min`,
      isNumber: true,
      cell: ({ lateMs, lateAtMs }) => (lateAtMs === undefined ? 'none' : `${lateMs} ms, ${ago(lateAtMs)}`),
      help: `the longest delay above ${LATE_THREAD_MS} ms`,
    },
  ];
  return (
    <DataTable
      title="Threads"
      columns={columns}
      rows={threads}
      keyOf={({ thread }) => thread}
      toneOf={({ windowMaxMs }) => (windowMaxMs > LATE_THREAD_MS ? 'warn' : undefined)}
      nothing="No thread has reported its delay yet."
    />
  );
}
