export { type DayGeneration, type DayMark, generationsOf } from './days/day-marks.ts';
export { type DayCut, DayPoints, type DaySeries } from './days/day-points.ts';
export { PageCodec } from './pages/page-codec.ts';
export type { PointPartitionOptions } from './point-partition.ts';
export { PointPartition } from './point-partition.ts';
export type { PointStoreLimits } from './point-store-limits.ts';
export { DEFAULT_POINT_STORE_LIMITS } from './point-store-limits.ts';
export { POINT_STORE_VERSION } from './state/partition-meta.ts';
