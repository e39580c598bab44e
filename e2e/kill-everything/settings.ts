import type { KindName } from '@tidemark/model';

/** What runs, and how many of each. */
export const POPULATION = {
  broker: 3,
  coordinator: 1,
  intake: 2,
  'point-store': 2,
  'tag-store': 2,
  aggregator: 1,
  query: 1,
  client: 3,
} as const;

export type PartKind = keyof typeof POPULATION;

export const PART_KINDS = (Object.keys(POPULATION) as PartKind[]).filter((kind) => POPULATION[kind] > 0);

export const PARTITIONS = 4;

/** Of the topics' names. */
export const TOPIC_PREFIX = 'kill-';

/** D, as `npm start` has it. */
export const LATENESS_MS = 3000;

/**
 * Short waits and small amounts, so that commits, buckets, dictionaries and blocks come by the dozen. Leases, fences and
 * what a lane waits for after its opening are left as they are.
 */
export const SERVICE_SETTINGS = {
  lane: { lingerMs: 5, epochMs: 5000 },
  store: { threads: 1, commitRows: 1000, commitStepMs: 2000, bucketMs: 10_000 },
  kafka: { topicPrefix: TOPIC_PREFIX },
  completeness: { latenessMs: LATENESS_MS },
} as const;

/** How a client under load is set up. */
export const CLIENT_SETTINGS = {
  backoffMs: 50,
  maxBackoffMs: 1000,
  replyTimeoutMs: 5000,
  greetingTimeoutMs: 3000,
  keepaliveMs: 3000,
} as const;

/** A client records one value of each metric, in one of its slots, this often. */
export const TICK_MS = 100;
/** So each series gets at most one point a second. */
export const SLOTS = 10;
export const STEP_MS = 1000;
/** Sums of a step stay exact: some dozens of these are far below 2^53. */
export const VALUE_LIMIT = 2 ** 44;
/** Tag `client:` of what comes over HTTP. */
export const HTTP_CLIENT = 'http-1';

/** A metric of the load, and how to ask for the values of its points one by one. */
export interface LoadMetric {
  readonly name: string;
  readonly kind: KindName;
  /** Folds over series and time; with one point a series and step the value comes back as it is. */
  readonly space: 'sum' | 'last';
  readonly rollup: string;
}

/** Every kind, over all partitions. */
export const METRICS: readonly LoadMetric[] = [
  { name: 'load.requests', kind: 'count', space: 'sum', rollup: 'rollup(sum, 1)' },
  { name: 'load.errors', kind: 'count', space: 'sum', rollup: 'rollup(sum, 1)' },
  { name: 'load.retries', kind: 'count', space: 'sum', rollup: 'rollup(sum, 1)' },
  { name: 'load.orders', kind: 'count', space: 'sum', rollup: 'rollup(sum, 1)' },
  { name: 'load.memory', kind: 'gauge', space: 'sum', rollup: 'rollup(sum, 1)' },
  { name: 'load.threads', kind: 'gauge', space: 'sum', rollup: 'rollup(sum, 1)' },
  { name: 'load.bytes', kind: 'counter', space: 'last', rollup: 'rollup(last, 1)' },
  { name: 'load.latency', kind: 'distribution', space: 'sum', rollup: 'rollup(1)' },
];
