export { PageCodec } from './page-codec.ts';
export { POINT_STORE_VERSION } from './partition-meta.ts';
export type { PointPartitionOptions } from './point-partition.ts';
export { PointPartition } from './point-partition.ts';
export type { PointStoreLimits } from './point-store-limits.ts';
export { DEFAULT_POINT_STORE_LIMITS } from './point-store-limits.ts';
