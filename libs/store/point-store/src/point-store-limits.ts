import { limitError } from '@tidemark/ports';

/** Bounds and rules of a point store. When commits happen changes no answer, hash or count, only what a crash repeats. */
export interface PointStoreLimits {
  /** A commit is due after this many rows. A row takes 20 bytes in RAM until then, and 16 more while it is committed. */
  readonly commitRows: number;
  /** …or this many bytes of records… */
  readonly commitBytes: number;
  /** …or when the watermark crosses a multiple of this, ms. Buckets close only there. */
  readonly commitStepMs: number;
  /** Width of a bucket, ms, a multiple of `commitStepMs`: chunks of a closed bucket are merged, and hashed. */
  readonly bucketMs: number;
  /** Encoded chunks of the newest buckets that are kept in RAM, with their index, bytes. */
  readonly recentBytes: number;
  /** Hashes of closed buckets that are kept, the newest. */
  readonly bucketHashes: number;
  /** Steps of one aggregate. */
  readonly steps: number;
  /** Groups of one aggregate. */
  readonly groups: number;
  /** Values, groups × steps, of one aggregate's answer. */
  readonly values: number;
  /** Points read for one aggregate, also when the request names no limit. */
  readonly points: number;
  /** All series sets remembered by digest, bytes. */
  readonly seriesSetsBytes: number;
}

/**
 * For four partitions in one process: at worst 40 MB of rows and 48 MB of chunks each, and 32 MB for each commit under
 * way.
 */
export const DEFAULT_POINT_STORE_LIMITS: PointStoreLimits = {
  commitRows: 2_000_000,
  commitBytes: 32 * 1024 * 1024,
  commitStepMs: 600_000,
  bucketMs: 2 * 3_600_000,
  recentBytes: 32 * 1024 * 1024,
  bucketHashes: 1024,
  steps: 50_000,
  groups: 100_000,
  values: 10_000_000,
  points: 200_000_000,
  seriesSetsBytes: 16 * 1024 * 1024,
};

/** Throws `invalid_argument` for limits that don't go together. */
export function checkLimits({ commitStepMs, bucketMs }: PointStoreLimits): void {
  if (bucketMs >= 1000 && bucketMs % commitStepMs === 0) return;
  throw limitError('bucket_ms', `${bucketMs}`, `1000 or more, and a multiple of commit_step_ms, ${commitStepMs}`);
}
