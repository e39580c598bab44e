/** Relative error of a quantile, when nothing else is asked for. */
export const DEFAULT_ALPHA = 0.01;

/** Accuracies a sketch may have: below, keys outgrow 32 bits in others' tools; above, a quantile says nothing. */
export const MIN_ALPHA = 1e-4;
export const MAX_ALPHA = 0.5;

/** Buckets of one sketch, both signs together. At 1% they span 117 binary orders of magnitude (35 decimal ones). */
export const MAX_BUCKETS = 4096;

/** Buckets of the positive store: one is always left for negative values. */
export const MAX_POSITIVE_BUCKETS = MAX_BUCKETS - 1;

/** Values in one sketch. One bit less than a double counts exactly, so that a count and a flag share a varint. */
export const MAX_COUNT = 2 ** 52 - 1;
