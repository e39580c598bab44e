import { ByteWriter } from '@tidemark/bytes';
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
  label(out, 'worker', String(i % METRICS).padStart(2, '0'));
  return out.take();
}

function labelsOfHost(host: number, metric: string): ByteWriter {
  const { hash, region, zone, environment, name, service, version } = describeHost(host);
  const out = new ByteWriter();
  label(out, '__name__', metric);
  label(out, 'availability_zone', zone);
  label(out, 'cluster', 'lab-wide');
  label(out, 'env', environment);
  label(out, 'host', name);
  label(out, 'pod', `${service}-${letters(hash, 10)}-${letters(mix(hash), 5)}`);
  label(out, 'region', region);
  label(out, 'service', service);
  label(out, 'version', version);
  return out;
}

function label(out: ByteWriter, name: string, value: string): void {
  const one = new ByteWriter();
  one.u8(0x0a);
  one.text(name);
  one.u8(0x12);
  one.text(value);
  out.u8(0x0a);
  out.sizedBytes(one.view());
}

function letters(seed: number, length: number): string {
  let hash = seed;
  return Array.from({ length }, () => {
    hash = mix(hash);
    return LETTERS[hash % LETTERS.length];
  }).join('');
}
