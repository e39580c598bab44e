/** Relative error of quantiles by default. */
export const DEFAULT_ALPHA = 0.01;

/** Lowest accuracy. Below it, keys exceed 32 bits in other tools; above the highest one a quantile has no meaning. */
export const MIN_ALPHA = 1e-4;
export const MAX_ALPHA = 0.5;

/**
 * Maximum buckets of one sketch that have a count, of both signs. At 1%, values in every bucket of 117 binary orders of
 * magnitude (35 decimal ones) use them up.
 */
export const MAX_BUCKETS = 4096;

/** Maximum buckets of the positive store: one is always left for negative values. */
export const MAX_POSITIVE_BUCKETS = MAX_BUCKETS - 1;

/**
 * Maximum values in one sketch: one bit less than a double counts exactly, so that a count and a flag share a varint.
 */
export const MAX_COUNT = 2 ** 52 - 1;
