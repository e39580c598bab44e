import type { DescribedMetric, MetricMetadata, TagKeyDescription, TagValueDescription } from '@tidemark/contract';
import { mergeMetadata } from '@tidemark/model';
import { metadataMessage, metadataOfMessage } from '@tidemark/store-rpc';

/** What one partition knows of metrics. */
export interface PartitionMetrics {
  readonly partition: number;
  readonly metrics: readonly DescribedMetric[];
}

/**
 * Merges the descriptions of each metric by several partitions. Partitions share a metric only around a move of its
 * slot, when most of its series are in both, so counts are those of the partition with the most, not sums. `ownersOf`
 * lists partitions of a metric, that whose metadata holds first.
 */
export function mergeMetrics(
  parts: readonly PartitionMetrics[],
  ownersOf: (metric: string) => readonly number[],
): DescribedMetric[] {
  const byMetric = new Map<string, (DescribedMetric & { readonly partition: number })[]>();
  for (const { partition, metrics } of parts) {
    for (const description of metrics) {
      const known = byMetric.get(description.metric);
      if (known === undefined) byMetric.set(description.metric, [{ ...description, partition }]);
      else known.push({ ...description, partition });
    }
  }
  return [...byMetric]
    .map(([metric, several]) => mergeDescriptions(several, several.length === 1 ? [] : ownersOf(metric)))
    .sort((a, b) => (a.metric < b.metric ? -1 : 1));
}

function mergeDescriptions(
  several: readonly (DescribedMetric & { readonly partition: number })[],
  owners: readonly number[],
): DescribedMetric {
  const known = [...several].sort((a, b) => owners.indexOf(a.partition) - owners.indexOf(b.partition));
  return {
    metric: known[0].metric,
    classes: [...new Set(known.flatMap(({ classes }) => classes))].sort((a, b) => a - b),
    series: Math.max(...known.map(({ series }) => series)),
    lastDayMs: Math.max(...known.map(({ lastDayMs }) => lastDayMs)),
    metadata: mergeMessages(known.map(({ metadata }) => metadata)),
  };
}

/** What partitions know of a metric; of each field the first one's. */
function mergeMessages(known: readonly (MetricMetadata | undefined)[]): MetricMetadata | undefined {
  const stated = known.filter((one) => one !== undefined);
  return stated.length < 2 ? stated[0] : metadataMessage(mergeMetadata(stated.map(metadataOfMessage)));
}

/**
 * Merges the descriptions of tag keys by several partitions, with at most `limit` values each, the most frequent first: as
 * each partition describes its own.
 */
export function mergeTagKeys(parts: readonly (readonly TagKeyDescription[])[], limit: number): TagKeyDescription[] {
  const reported = parts.filter(({ length }) => length > 0);
  // Mostly one partition has all of a metric.
  if (reported.length < 2) return [...(reported[0] ?? [])];
  const merged = new Map<string, { key: string; values: number; series: number; top: Map<string, number> }>();
  for (const { key, values, series, top } of reported.flat()) {
    const known = merged.get(key) ?? { key, values: 0, series: 0, top: new Map<string, number>() };
    merged.set(key, known);
    for (const value of top) known.top.set(value.value, Math.max(known.top.get(value.value) ?? 0, value.series));
    known.values = Math.max(known.values, values, known.top.size);
    known.series = Math.max(known.series, series);
  }
  return [...merged.values()]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, values, series, top }) => ({ key, values, series, top: mostFrequent(top, limit) }));
}

function mostFrequent(counts: ReadonlyMap<string, number>, limit: number): TagValueDescription[] {
  return [...counts]
    .map(([value, series]) => ({ value, series }))
    .sort((a, b) => b.series - a.series || (a.value < b.value ? -1 : 1))
    .slice(0, limit);
}
