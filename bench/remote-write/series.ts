import { ByteWriter } from '@tidemark/bytes';

/**
 * The series of the remote-write benchmarks: hosts with 100 metrics each, as a scrape of each host brings them; 9 labels
 * of about 216 bytes of names and values. 40% counters, 40% gauges of one or two decimals, 20% constants, by the name.
 */
export const METRICS = 100;

const STEMS = [
  'http_server_requests_total',
  'http_server_request_bytes_total',
  'system_cpu_user_percent',
  'system_memory_used_ratio',
  'system_cpu_cores',
  'db_client_queries_total',
  'kafka_consumer_records_total',
  'jvm_heap_used_mebibytes',
  'queue_depth_average',
  'build_info',
];
const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-southeast-1'];
const ENVIRONMENTS = ['production', 'production', 'production', 'staging', 'development'];
const SERVICES = [
  'checkout',
  'payments',
  'catalog',
  'search',
  'inventory',
  'shipping',
  'identity',
  'gateway',
  'billing',
  'notification',
];
const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

/** Name of metric `m` of a host: the kind can be told by it. */
export function metricName(m: number): string {
  return `lab_${String(Math.floor(m / STEMS.length)).padStart(2, '0')}_${STEMS[m % STEMS.length]}`;
}

/** The region of a host, which the check by a tag goes by. */
export function regionOf(host: number): string {
  return REGIONS[host % REGIONS.length];
}

/** Labels of series `i`, sorted by name, as fields of a TimeSeries message. */
export function labelFields(i: number): Buffer {
  const host = Math.floor(i / METRICS);
  const region = regionOf(host);
  const service = `${SERVICES[host % SERVICES.length]}-${Math.floor(host / SERVICES.length) % 5}`;
  const hash = mix(host);
  const address = `ip-10-${(host >> 16) & 255}-${(host >> 8) & 255}-${host & 255}`;
  const out = new ByteWriter();
  label(out, '__name__', metricName(i % METRICS));
  label(out, 'availability_zone', `${region}${'abc'[host % 3]}`);
  label(out, 'cluster', 'lab-wide');
  label(out, 'env', ENVIRONMENTS[hash % ENVIRONMENTS.length]);
  label(out, 'host', `${address}.${region}.compute.internal`);
  label(out, 'pod', `${service}-${letters(hash, 10)}-${letters(mix(hash), 5)}`);
  label(out, 'region', region);
  label(out, 'service', service);
  label(out, 'version', `v2.${hash % 7}.${mix(host + 1) % 40}`);
  return out.take();
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

/** splitmix32's finaliser. */
export function mix(value: number): number {
  let x = (value + 0x9e3779b9) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}
