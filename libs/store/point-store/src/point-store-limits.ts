import { limitError } from '@tidemark/ports';

/**
 * Bounds and rules of a point store. The times of commits change no answer, hash or count, only the work after a crash.
 */
export interface PointStoreLimits {
  /** Rows after which a commit is due. A row uses 20 bytes of RAM until then, and 16 more during the commit. */
  readonly commitRows: number;
  /** Bytes of records after which a commit is due. */
  readonly commitBytes: number;
  /** A commit is due when the watermark crosses a multiple of this, ms. Buckets close only at these commits. */
  readonly commitStepMs: number;
  /** Width of a bucket, ms, a multiple of `commitStepMs`: short pages of a closed bucket are merged, and its points hashed. */
  readonly bucketMs: number;
  /**
   * Bytes of pages in RAM, with what is known of their structure: three quarters for the newest buckets, one for those that
   * queries have read from disk. Each may use what others of its thread do not.
   */
  readonly recentBytes: number;
  /**
   * How long points are kept, ms: a bucket is deleted when its whole time is so long before the watermark. 0: permanently. All
   * replicas must have the same.
   */
  readonly retentionMs: number;
  /** Hashes of the newest closed buckets that are kept. */
  readonly bucketHashes: number;
  /** Steps of one aggregate. */
  readonly steps: number;
  /** Groups of one aggregate. */
  readonly groups: number;
  /** Values, groups × steps, of one aggregate's answer. */
  readonly values: number;
  /** Points read for one aggregate, also when the request names no limit. */
  readonly points: number;
  /** Bytes of all series sets that are remembered by digest. */
  readonly seriesSetsBytes: number;
  /** Bytes of pages that one aggregate reads, which it holds until it ends. */
  readonly readBytes: number;
}

/**
 * Default limits for four partitions in one process: 32 MB of values in the head if their places are filled, up to
 * four times as much if they are sparse, and 32 MB of pages each.
 */
export const DEFAULT_POINT_STORE_LIMITS: PointStoreLimits = {
  commitRows: 4_000_000,
  commitBytes: 32 * 1024 * 1024,
  commitStepMs: 600_000,
  bucketMs: 2 * 3_600_000,
  recentBytes: 32 * 1024 * 1024,
  retentionMs: 0,
  bucketHashes: 1024,
  steps: 50_000,
  groups: 100_000,
  values: 10_000_000,
  points: 200_000_000,
  readBytes: 256 * 1024 * 1024,
  seriesSetsBytes: 16 * 1024 * 1024,
};

/** Throws `invalid_argument` for limits that contradict each other. */
export function checkLimits({ commitStepMs, bucketMs }: PointStoreLimits): void {
  if (bucketMs >= 1000 && bucketMs % commitStepMs === 0) return;
  throw limitError('bucket_ms', `${bucketMs}`, `1000 or more, and a multiple of commit_step_ms, ${commitStepMs}`);
}
