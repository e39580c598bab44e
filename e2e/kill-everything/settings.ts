import type { KindName } from '@tidemark/model';

/** Kinds of parts, and how many of each run. */
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

/** Prefix of the topics' names. */
export const TOPIC_PREFIX = 'kill-';

/** D, as `npm start` has it. */
export const LATENESS_MS = 3000;

/**
 * Short waits and small sizes, so that a run has dozens of commits, buckets, dictionaries and blocks. Leases, fences
 * and the delay after the opening of a lane have their defaults.
 */
export const SERVICE_SETTINGS = {
  lane: { lingerMs: 5, epochMs: 5000 },
  store: { threads: 1, commitRows: 1000, commitStepMs: 2000, bucketMs: 10_000 },
  kafka: { topicPrefix: TOPIC_PREFIX },
  completeness: { latenessMs: LATENESS_MS },
} as const;

/** Options of a client under load. */
export const CLIENT_SETTINGS = {
  backoffMs: 50,
  maxBackoffMs: 1000,
  replyTimeoutMs: 5000,
  greetingTimeoutMs: 3000,
  keepaliveMs: 3000,
} as const;

/** Interval in which a client records one value of each metric, in one of its slots. */
export const TICK_MS = 100;
/** Number of slots, so that each series gets at most one point per second. */
export const SLOTS = 10;
export const STEP_MS = 1000;
/** Limit of the values: sums of some dozens are far below 2^53 and stay exact. */
export const VALUE_LIMIT = 2 ** 44;
/** Tag `client:` of the points that are sent over HTTP. */
export const HTTP_CLIENT = 'http-1';

/** A metric of the load. */
export interface LoadMetric {
  readonly name: string;
  readonly kind: Exclude<KindName, 'reading' | 'rate'>;
}

/** Every kind, over all partitions. */
export const METRICS: readonly LoadMetric[] = [
  { name: 'load.requests', kind: 'count' },
  { name: 'load.errors', kind: 'count' },
  { name: 'load.retries', kind: 'count' },
  { name: 'load.orders', kind: 'count' },
  { name: 'load.memory', kind: 'gauge' },
  { name: 'load.threads', kind: 'gauge' },
  { name: 'load.bytes', kind: 'counter' },
  { name: 'load.latency', kind: 'distribution' },
];
