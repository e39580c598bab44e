import { describeHost, METRICS, metricWords, mix, SERVICES, shapeOf } from './hosts.ts';

export interface TaggedSeries {
  readonly metric: string;
  readonly kind: 'counter' | 'gauge';
  /** 9 tags, about 216 bytes with the metric's name. */
  readonly tags: readonly string[];
}

/** Returns the name of metric `m`. */
export function taggedMetric(m: number): string {
  const { words, number } = metricWords(m);
  return `lab.${words}.${number}`;
}

/** Returns the number of the metric of series `i`, for `hosts` hosts. */
export function metricOf(i: number, hosts: number): number {
  return Math.floor(i / hosts);
}

/** Lists series by metric, then host, like the client library: neighbours are similar. */
export function taggedSeries(hosts: number, metrics: number = METRICS): TaggedSeries[] {
  const tagsOfHost = Array.from({ length: hosts }, (_, host) => hostTags(host));
  return Array.from({ length: hosts * metrics }, (_, i) => {
    const metric = metricOf(i, hosts);
    return { metric: taggedMetric(metric), kind: kindOf(metric), tags: tagsOfHost[i % hosts] };
  });
}

/** Lists the series of one host, by metric. */
export function seriesOfHost(host: number): TaggedSeries[] {
  const tags = hostTags(host);
  return Array.from({ length: METRICS }, (_, metric) => ({ metric: taggedMetric(metric), kind: kindOf(metric), tags }));
}

function kindOf(metric: number): TaggedSeries['kind'] {
  return shapeOf(metric) === 'counter' ? 'counter' : 'gauge';
}

function hostTags(host: number): string[] {
  const { hash, region, zone, environment, name, service, version } = describeHost(host);
  return [
    `availability_zone:${zone}`,
    'cluster:lab-wide',
    `env:${environment}`,
    `host:${name}`,
    `pod:${service}-${hash.toString(36).padStart(7, '0')}-${mix(hash).toString(36).padStart(7, '0')}`,
    `region:${region}`,
    `service:${service}`,
    `team:${SERVICES[hash % SERVICES.length]}-oncall`,
    `version:${version}`,
  ];
}
