/**
 * The hosts of the benchmarks of whole paths, each with the same 100 metrics: 40% counters, 40% gauges, 20% constants, by
 * the metric's number.
 */
export const METRICS = 100;

const STEMS = [
  'http.server.requests.total',
  'http.server.request.bytes.total',
  'system.cpu.user.percent',
  'system.memory.used.ratio',
  'system.cpu.cores',
  'db.client.queries.total',
  'kafka.consumer.records.total',
  'jvm.heap.used.mebibytes',
  'queue.depth.average',
  'build.info',
];
const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-southeast-1'];
const ENVIRONMENTS = ['production', 'production', 'production', 'staging', 'development'];
/** Names of services, and of teams. */
export const SERVICES = [
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

export type Shape = 'counter' | 'gauge' | 'constant';

export function shapeOf(metric: number): Shape {
  return (['counter', 'counter', 'gauge', 'gauge', 'constant'] as const)[metric % 5];
}

/** Returns the words of metric `m`'s name, and the number that distinguishes it from others with the same words. */
export function metricWords(m: number): { words: string; number: string } {
  return { words: STEMS[m % STEMS.length], number: String(Math.floor(m / STEMS.length)).padStart(2, '0') };
}

/** Returns the properties of a host; `hash` gives other values that differ between hosts. */
export function describeHost(host: number) {
  const region = REGIONS[host % REGIONS.length];
  const hash = mix(host);
  return {
    hash,
    region,
    zone: `${region}${'abc'[host % 3]}`,
    environment: ENVIRONMENTS[hash % ENVIRONMENTS.length],
    name: `ip-10-${(host >> 16) & 255}-${(host >> 8) & 255}-${host & 255}.${region}.compute.internal`,
    service: `${SERVICES[host % SERVICES.length]}-${Math.floor(host / SERVICES.length) % 5}`,
    version: `v2.${hash % 7}.${mix(host + 1) % 40}`,
  };
}

/** splitmix32's finaliser. */
export function mix(value: number): number {
  let x = (value + 0x9e3779b9) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}
