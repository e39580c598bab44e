import type { EmbeddedLogLimits } from '@tidemark/embedded-log';
import { DEFAULT_LANE_TIMING, type LaneTiming } from '@tidemark/intake';
import { DEFAULT_POINT_STORE_LIMITS, type PointStoreLimits } from '@tidemark/point-store';
import type { Topic } from '@tidemark/ports';
import type { QueryServiceLimits } from '@tidemark/query';

// Everything is small, so that a minute of simulated time has dozens of blocks, epochs, segments, commits, bucket
// closes and trims.

export const PARTITIONS = 3;
/** Copies of each point store and tag store. */
export const REPLICAS = 2;
export const POINT_STORES = ['points-1', 'points-2', 'points-3'];
export const TAG_STORES = ['tags-1', 'tags-2', 'tags-3'];
/** Nodes of the log. Each permanently leads some partitions. */
export const BROKERS = ['log-1', 'log-2', 'log-3'];

/**
 * Returns the leader of a partition of the log. `control` has one partition; `points-N` and `tags-N` have different
 * leaders.
 */
export function leaderOf(topic: Topic, partition: number): string {
  return BROKERS[
    topic === 'points' ? (partition + 1) % BROKERS.length : topic === 'tags' ? (partition + 2) % BROKERS.length : 0
  ];
}

/** Lateness bound D, ms. */
export const LATENESS_MS = 3000;

/** Time for which intakes accept points of a halted partition, ms. */
export const HALTED_MS = 3000;

export const LANE_TIMING: LaneTiming = {
  ...DEFAULT_LANE_TIMING,
  fillBytes: 400,
  lingerMs: 150,
  blockBytes: 800,
  appendMs: 6000,
  epochMs: 15_000,
  epochRefs: 40,
  recordBytes: 4000,
};

/** Bounds of the records of `points`, of which a run has one: intakes mostly know it, else they learn it. */
export const RECORD_BYTES = [1050, 1400] as const;

export const LOG_LIMITS: Partial<EmbeddedLogLimits> = {
  segmentBytes: 8 * 1024,
  maxBytes: 64 * 2 ** 20,
  controlReserveBytes: 2 ** 20,
  tailCacheBytes: 4096,
  openSegments: 2,
  readBytes: 16 * 1024,
};

export const QUERY_LIMITS: Partial<QueryServiceLimits> = {
  timeMs: 10_000,
  concurrentQueries: 1000,
  seriesSetBytes: 32,
  seriesSets: 8,
  memoryBytes: 6 * 2 ** 20,
};

/** Bounds of how long points are kept in a third of the runs, ms. The others keep all. */
export const RETENTION_MS = [15_000, 40_000] as const;

export const POINT_LIMITS: PointStoreLimits = {
  ...DEFAULT_POINT_STORE_LIMITS,
  commitRows: 40,
  commitBytes: 16 * 1024,
  commitStepMs: 5000,
  bucketMs: 10_000,
  recentBytes: 4096,
};
