import type { SeriesCount, SeriesCountsReply, SeriesCountsRequest } from '@tidemark/contract';
import { budgetKey } from '@tidemark/control-log';

/** Metrics that use less than this share of their budget are not reported. */
const REPORTED_SHARE = 0.9;

/** Counts the series of one partition, by any of its tag stores. */
export type CountPartition = (request: SeriesCountsRequest) => Promise<SeriesCountsReply>;

/** Adds up the series of all partitions that count towards budgets: of each tenant, and of metrics near their limit. */
export async function countSeries(
  partitions: number,
  count: CountPartition,
  metricSeries: number,
  sinceDay: number,
): Promise<SeriesCount[]> {
  const metricSeriesFrom = Math.floor(metricSeries * REPORTED_SHARE);
  const replies = await Promise.all(
    Array.from({ length: partitions }, (_, partition) => count({ partition, sinceDay, metricSeriesFrom })),
  );
  const byKey = new Map<string, SeriesCount>();
  for (const { tenant, metric, series } of replies.flatMap(({ counts }) => counts)) {
    const key = budgetKey(tenant, metric);
    byKey.set(key, { tenant, metric, series: series + (byKey.get(key)?.series ?? 0) });
  }
  return [...byKey.values()];
}
