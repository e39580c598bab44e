import type { KindName } from '@tidemark/model';

const COUNTERS = ['_total', '_count', '_sum', '_bucket'];

/**
 * Returns the kind of a Prometheus series by the name of its metric alone. Remote write 1.0 has no types with the
 * samples: metadata is sent separately, now and then, and not after a restart of the platform, and a series must not
 * change its kind.
 */
export function kindByName(metric: string): KindName {
  return COUNTERS.some((suffix) => metric.endsWith(suffix)) ? 'counter' : 'gauge';
}
