import { metricId, type PartitionMap, partitionOf } from '@tidemark/model';

/**
 * The partitions that have owned a metric by any of these maps, the owner by the newest map first: of what partitions
 * know of a metric, it is the first one's that holds. `maps` has the newest map last.
 */
export function ownersOf(maps: readonly PartitionMap[], tenant: string, metric: string): number[] {
  const id = metricId(tenant, metric);
  return [...new Set(maps.map((map) => partitionOf(map, id)).reverse())];
}
