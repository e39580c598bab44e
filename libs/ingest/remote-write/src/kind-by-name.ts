import type { KindName } from '@tidemark/model';

const COUNTERS = ['_total', '_count', '_sum', '_bucket'];

/**
 * The kind of a Prometheus series by its metric's name alone. Remote write 1.0 says nothing of types with the samples
 * (metadata come apart, now and then, and not after a restart of ours), and a series must not change its kind.
 */
export function kindByName(metric: string): KindName {
  return COUNTERS.some((suffix) => metric.endsWith(suffix)) ? 'counter' : 'gauge';
}
