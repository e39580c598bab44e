import type { MetricDescription, TagKeyDescription, TagValueDescription } from '@tidemark/contract';
import { mergeMetadata } from '@tidemark/model';
import { metadataMessage, metadataOfMessage } from '@tidemark/store-rpc';

/**
 * Merges the descriptions of each metric by several partitions. Partitions share a metric only around a move of its
 * slot, when most of its series are in both, so counts are those of the partition with the most, not sums.
 */
export function mergeMetrics(parts: readonly (readonly MetricDescription[])[], limit: number): MetricDescription[] {
  const merged = new Map<string, MetricDescription>();
  for (const description of parts.flat()) {
    const known = merged.get(description.metric);
    if (known === undefined) merged.set(description.metric, { ...description, classes: [...description.classes] });
    else {
      known.classes = [...new Set([...known.classes, ...description.classes])].sort((a, b) => a - b);
      known.series = Math.max(known.series, description.series);
      known.lastDayMs = Math.max(known.lastDayMs, description.lastDayMs);
      const both = [known.metadata, description.metadata].map(metadataOfMessage);
      if (description.metadata !== undefined) known.metadata = metadataMessage(mergeMetadata(both));
    }
  }
  return [...merged.values()].sort((a, b) => (a.metric < b.metric ? -1 : 1)).slice(0, limit);
}

/**
 * Merges the descriptions of tag keys by several partitions, with at most `limit` values each, the most frequent first.
 */
export function mergeTagKeys(parts: readonly (readonly TagKeyDescription[])[], limit: number): TagKeyDescription[] {
  const merged = new Map<string, { key: string; values: number; series: number; top: Map<string, number> }>();
  for (const { key, values, series, top } of parts.flat()) {
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
