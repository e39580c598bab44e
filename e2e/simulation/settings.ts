import type { EmbeddedLogLimits } from '@tidemark/embedded-log';
import { DEFAULT_LANE_TIMING, type LaneTiming } from '@tidemark/intake';
import { DEFAULT_POINT_STORE_LIMITS, type PointStoreLimits } from '@tidemark/point-store';

// Everything is small, so that a minute of the simulated world goes through blocks, epochs, segments, commits, bucket
// closes and trims by the dozen.

export const PARTITIONS = 3;
/** Lateness bound D, ms. */
export const LATENESS_MS = 3000;

export const LANE_TIMING: LaneTiming = {
  ...DEFAULT_LANE_TIMING,
  fillBytes: 400,
  lingerMs: 150,
  blockBytes: 800,
  appendMs: 6000,
  epochMs: 15_000,
  epochRefs: 40,
};

export const LOG_LIMITS: Partial<EmbeddedLogLimits> = {
  segmentBytes: 8 * 1024,
  maxBytes: 64 * 2 ** 20,
  controlReserveBytes: 2 ** 20,
  tailCacheBytes: 4096,
  openSegments: 2,
  readBytes: 16 * 1024,
};

export const POINT_LIMITS: PointStoreLimits = {
  ...DEFAULT_POINT_STORE_LIMITS,
  commitRows: 40,
  commitBytes: 16 * 1024,
  commitStepMs: 5000,
  bucketMs: 10_000,
  recentBytes: 4096,
};
