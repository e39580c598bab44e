export type { TagCheckpoint } from './checkpoints.ts';
export { CHECKPOINT_RECORDS, CHECKPOINTS_KEPT } from './checkpoints.ts';
export { TAG_STORE_VERSION } from './store-layout.ts';
export type { TagPartitionOptions, TagPartitionStatus } from './tag-partition.ts';
export { TagPartition } from './tag-partition.ts';
export type { OverBudget } from './tag-reads.ts';
export type { TagStoreLimits } from './tag-store-limits.ts';
export { DEFAULT_TAG_STORE_LIMITS } from './tag-store-limits.ts';
export { MAX_UNKNOWN_DAYS } from './unknown-days.ts';
