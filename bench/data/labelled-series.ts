import { ByteWriter } from '@tidemark/bytes';
import { appendLabel } from '../remote-write/encode.ts';
import { describeHost, METRICS, metricWords, mix } from './hosts.ts';

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** Returns the name of metric `m` of a host. Its kind follows from the name. */
export function labelledMetric(m: number): string {
  const { words, number } = metricWords(m);
  return `lab_${number}_${words.replaceAll('.', '_')}`;
}

/**
 * Returns the labels of series `i` as fields of a TimeSeries: 9 labels of about 216 bytes. The series of a host follow
 * each other, as in a scrape.
 */
export function labelFields(i: number): Buffer {
  return labelsOfHost(Math.floor(i / METRICS), labelledMetric(i % METRICS)).take();
}

/** A counter of which each host has 100 series, one for each of its workers. */
export const WIDE_METRIC = 'lab_wide_requests_total';

/** Returns the labels of series `i` of the wide metric, in the form of `labelFields`. */
export function wideLabelFields(i: number): Buffer {
  const out = labelsOfHost(Math.floor(i / METRICS), WIDE_METRIC);
  appendLabel(out, 'worker', String(i % METRICS).padStart(2, '0'));
  return out.take();
}

function labelsOfHost(host: number, metric: string): ByteWriter {
  const { hash, region, zone, environment, name, service, version } = describeHost(host);
  const out = new ByteWriter();
  appendLabel(out, '__name__', metric);
  appendLabel(out, 'availability_zone', zone);
  appendLabel(out, 'cluster', 'lab-wide');
  appendLabel(out, 'env', environment);
  appendLabel(out, 'host', name);
  appendLabel(out, 'pod', `${service}-${letters(hash, 10)}-${letters(mix(hash), 5)}`);
  appendLabel(out, 'region', region);
  appendLabel(out, 'service', service);
  appendLabel(out, 'version', version);
  return out;
}

function letters(seed: number, length: number): string {
  let hash = seed;
  return Array.from({ length }, () => {
    hash = mix(hash);
    return LETTERS[hash % LETTERS.length];
  }).join('');
}
