import { budgetKey } from '@tidemark/control';
import type { SeriesCount } from '@tidemark/coordinator';
import type { TagPartition } from '@tidemark/tag-store';

/** Metrics with fewer of their budget's series than this share are not worth a message. */
const REPORTED_SHARE = 0.9;

/** What some partitions count towards the budgets: each tenant as a whole, and metrics near their limit. */
export function seriesCounts(stores: readonly TagPartition[], metricSeries: number, sinceDay: number): SeriesCount[] {
  return stores.flatMap((store) => {
    const { tenants, metrics } = store.budgets(0, metricSeries * REPORTED_SHARE, sinceDay);
    return [...tenants.map(({ tenant, series }) => ({ tenant, metric: '', series })), ...metrics];
  });
}

/** Counts of several partitions added up. */
export function addCounts(counts: readonly SeriesCount[]): SeriesCount[] {
  const byKey = new Map<string, SeriesCount>();
  for (const { tenant, metric, series } of counts) {
    const key = budgetKey(tenant, metric);
    byKey.set(key, { tenant, metric, series: series + (byKey.get(key)?.series ?? 0) });
  }
  return [...byKey.values()];
}
