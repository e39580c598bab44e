export { DAY_MS, dayOf } from './day.ts';
export type { Kind, KindName } from './kind.ts';
export { isKind, KIND, kindName } from './kind.ts';
export type { PartitionMap } from './partition-map.ts';
export { evenMap, packSlots, partitionOf, SLOTS, slotOf, unpackSlots } from './partition-map.ts';
export type { PointLimits } from './point-limits.ts';
export { DEFAULT_POINT_LIMITS } from './point-limits.ts';
export type { SeriesName } from './series.ts';
export { canonicalBytes, hash128, ID_BYTES, metricId, nameBytes, seriesId, seriesName } from './series.ts';
