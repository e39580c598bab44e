/** Bounds and rules of a point store; every rule that shapes its state depends on the log alone. */
export interface PointStoreLimits {
  /** A commit is due after this many rows… */
  readonly commitRows: number;
  /** …or this many bytes of records… */
  readonly commitBytes: number;
  /** …or when the watermark crosses a multiple of this, ms. */
  readonly commitStepMs: number;
  /** Width of a bucket, ms: chunks of a closed bucket are merged, and hashed. */
  readonly bucketMs: number;
  /** Encoded chunks of the newest buckets that are kept in RAM, bytes. */
  readonly recentBytes: number;
  /** Steps of one aggregate. */
  readonly steps: number;
  /** Groups of one aggregate. */
  readonly groups: number;
  /** Series sets remembered by digest. */
  readonly seriesSets: number;
  /** Bytes of one series set. */
  readonly seriesSetBytes: number;
}

export const DEFAULT_POINT_STORE_LIMITS: PointStoreLimits = {
  commitRows: 4_000_000,
  commitBytes: 64 * 1024 * 1024,
  commitStepMs: 600_000,
  bucketMs: 2 * 3_600_000,
  recentBytes: 64 * 1024 * 1024,
  steps: 50_000,
  groups: 100_000,
  seriesSets: 64,
  seriesSetBytes: 16 * 1_000_000,
};
