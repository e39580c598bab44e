import type { DescribedMetric, DescribeMetricsRequest, Gap } from '@tidemark/contract';
import type { PartitionMap } from '@tidemark/model';
import type { QueryStores } from '@tidemark/store-rpc';
import { mergeMetrics, type PartitionMetrics } from './describe.ts';
import { Gaps } from './gaps.ts';
import { ownersOf } from './metric-owners.ts';
import type { Parts } from './parts.ts';

/** Whom a list of metrics is asked from. */
export interface MetricSources {
  readonly parts: Parts;
  readonly stores: QueryStores;
  /** The newest last; of what partitions know of a metric, that of its owner by the newest holds. */
  readonly maps: readonly PartitionMap[];
}

export type AskedMetrics = Omit<DescribeMetricsRequest, 'partition' | 'names'> &
  Partial<Pick<DescribeMetricsRequest, 'names'>>;

export interface FoundMetrics {
  readonly metrics: DescribedMetric[];
  readonly gaps: Gap[];
}

/** Lists metrics of these partitions by name, with what the partitions that answered know of each. */
export async function askForMetrics(
  sources: MetricSources,
  partitions: readonly number[],
  asked: AskedMetrics,
): Promise<FoundMetrics> {
  const replies = await Promise.all(partitions.map((partition) => askOne(sources, partition, asked)));
  return merged(sources, asked.tenant, replies);
}

/**
 * Lists at most `asked.limit` metrics with series, as `askForMetrics`, also with what users stated of them in an earlier
 * owner, which has none of their series any more.
 */
export async function askForListedMetrics(
  sources: MetricSources,
  partitions: readonly number[],
  asked: AskedMetrics,
): Promise<FoundMetrics> {
  const replies = await Promise.all(partitions.map((partition) => askOne(sources, partition, asked)));
  const { metrics } = merged(sources, asked.tenant, replies);
  const names = metrics.slice(0, asked.limit).map(({ metric }) => metric);
  const withOwners = names.map((name) => ({ name, owners: ownersOf(sources.maps, asked.tenant, name) }));
  const moved = withOwners
    .filter(({ owners }) => owners.length > 1)
    .flatMap(({ name, owners }) => owners.map((partition) => ({ name, partition })));
  const ofMoved = await Promise.all(
    [...Map.groupBy(moved, ({ partition }) => partition)].map(([partition, ofOwner]) =>
      askOne(sources, partition, { ...asked, names: ofOwner.map(({ name }) => name), stated: true }),
    ),
  );
  const found = merged(sources, asked.tenant, [...replies, ...ofMoved]);
  const listed = new Set(names);
  return { ...found, metrics: found.metrics.filter(({ metric }) => listed.has(metric)) };
}

/** All partitions of the map that has the most. */
export function allPartitions(maps: readonly PartitionMap[]): number[] {
  const count = Math.max(...maps.map((map) => map.partitions));
  return Array.from({ length: count }, (_, partition) => partition);
}

interface PartitionReply extends PartitionMetrics {
  readonly gaps: readonly Gap[];
}

async function askOne(
  { parts, stores }: MetricSources,
  partition: number,
  asked: AskedMetrics,
): Promise<PartitionReply> {
  const request = { names: [], ...asked, partition };
  const reply = await parts.ask(`tags/${partition}`, (signal) =>
    stores.tagStore(partition).describeMetrics(request, signal),
  );
  return { partition, metrics: reply?.metrics ?? [], gaps: reply?.gaps ?? [] };
}

function merged({ maps }: MetricSources, tenant: string, replies: readonly PartitionReply[]): FoundMetrics {
  const gaps = new Gaps();
  for (const reply of replies) gaps.add(reply.gaps);
  return { metrics: mergeMetrics(replies, (metric) => ownersOf(maps, tenant, metric)), gaps: gaps.sorted() };
}
