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
export function taggedSeries(hosts: number): TaggedSeries[] {
  const tagsOfHost = Array.from({ length: hosts }, (_, host) => hostTags(host));
  return Array.from({ length: hosts * METRICS }, (_, i) => {
    const metric = metricOf(i, hosts);
    const kind = shapeOf(metric) === 'counter' ? 'counter' : 'gauge';
    return { metric: taggedMetric(metric), kind, tags: tagsOfHost[i % hosts] };
  });
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
