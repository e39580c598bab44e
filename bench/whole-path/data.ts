/**
 * The data of the whole-path benchmarks: `hosts` hosts with 100 metrics each, 9 tags of 216 bytes with the metric's
 * name; 40% counters with random increments, 40% gauges of one or two decimals, 20% constants. Deterministic by seed.
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
  'mail',
];
const CONSTANTS = [0, 1, 1, 4, 8, 1024];

export type BenchKind = 'counter' | 'gauge';

export interface BenchSeries {
  readonly metric: string;
  readonly kind: BenchKind;
  readonly tags: readonly string[];
}

type Shape = 'counter' | 'gauge' | 'constant';

function shapeOf(metric: number): Shape {
  return (['counter', 'counter', 'gauge', 'gauge', 'constant'] as const)[metric % 5];
}

/** Name of metric `m`. */
export function metricName(m: number): string {
  return `lab.${STEMS[m % STEMS.length]}.${String(Math.floor(m / STEMS.length)).padStart(2, '0')}`;
}

/** Series by metric, then host: neighbours are alike, as a client orders them. */
export function benchSeries(hosts: number): BenchSeries[] {
  const tagsOfHost = Array.from({ length: hosts }, (_, host) => hostTags(host));
  return Array.from({ length: hosts * METRICS }, (_, i) => {
    const metric = Math.floor(i / hosts);
    const kind = shapeOf(metric) === 'counter' ? 'counter' : 'gauge';
    return { metric: metricName(metric), kind, tags: tagsOfHost[i % hosts] };
  });
}

function hostTags(host: number): string[] {
  const region = REGIONS[host % REGIONS.length];
  const service = `${SERVICES[host % SERVICES.length]}-${Math.floor(host / SERVICES.length) % 5}`;
  const hash = mix(host);
  return [
    `availability_zone:${region}${'abc'[host % 3]}`,
    'cluster:lab-wide',
    `env:${ENVIRONMENTS[hash % ENVIRONMENTS.length]}`,
    `host:ip-10-${(host >> 16) & 255}-${(host >> 8) & 255}-${host & 255}.${region}.compute.internal`,
    `pod:${service}-${hash.toString(36).padStart(7, '0')}-${mix(hash).toString(36).padStart(7, '0')}`,
    `region:${region}`,
    `service:${service}`,
    `team:${SERVICES[hash % SERVICES.length]}-oncall`,
    `version:v2.${hash % 7}.${mix(host + 1) % 40}`,
  ];
}

/** Values of successive rounds: `next` fills one value a series. */
export class BenchValues {
  readonly #hosts: number;
  readonly #state: Float64Array;
  readonly #base: Float64Array;
  readonly #step: Float64Array;
  #random: number;

  constructor(hosts: number, seed: number) {
    const length = hosts * METRICS;
    this.#hosts = hosts;
    this.#random = mix(seed);
    this.#state = new Float64Array(length);
    this.#base = new Float64Array(length);
    this.#step = new Float64Array(length);
    for (let i = 0; i < length; i++) {
      const shape = shapeOf(Math.floor(i / hosts));
      if (shape === 'counter') {
        this.#step[i] = Math.floor(Math.exp(this.#draw() * 8));
        this.#state[i] = Math.floor(this.#draw() * 1e6);
      } else if (shape === 'gauge') {
        this.#base[i] = this.#draw() * 100;
        this.#state[i] = this.#base[i];
        this.#step[i] = 0.2 + this.#draw() * 3;
      } else {
        this.#state[i] = CONSTANTS[Math.floor(this.#draw() * CONSTANTS.length)];
      }
    }
  }

  next(out: Float64Array): void {
    for (let i = 0; i < out.length; i++) {
      const metric = Math.floor(i / this.#hosts);
      const shape = shapeOf(metric);
      if (shape === 'counter') {
        if (this.#draw() > 0.125) this.#state[i] += Math.floor(this.#draw() * (2 * this.#step[i] + 1));
        out[i] = this.#state[i];
      } else if (shape === 'gauge') {
        const noise = this.#draw() + this.#draw() - 1;
        this.#state[i] += 0.1 * (this.#base[i] - this.#state[i]) + noise * this.#step[i];
        const scale = metric % 2 === 0 ? 10 : 100;
        out[i] = Math.round(this.#state[i] * scale) / scale;
      } else {
        out[i] = this.#state[i];
      }
    }
  }

  #draw(): number {
    this.#random = mix(this.#random);
    return this.#random / 4294967296;
  }
}

/** splitmix32's finaliser. */
function mix(value: number): number {
  let x = (value + 0x9e3779b9) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}
