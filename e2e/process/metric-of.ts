import { evenMap, metricId, partitionOf } from '@tidemark/model';

/** The first of `PREFIX.m0`, `PREFIX.m1` … of the default tenant that is in this partition of two. */
export function metricOf(partition: number, prefix: string): string {
  for (let i = 0; ; i++) {
    const metric = `${prefix}.m${i}`;
    if (partitionOf(evenMap(2), metricId('default', metric)) === partition) return metric;
  }
}
