export { DAY_MS, dayOf } from './day.ts';
export { FIRST_ERA } from './era.ts';
export { derivedFlushIntervalMs, maxFlushIntervalMs } from './flush-interval.ts';
export type { Kind, KindName } from './kind.ts';
export { isKind, KIND, kindName } from './kind.ts';
export { labelTag } from './label-tag.ts';
export type {
  MetricChange,
  MetricMeaning,
  MetricMetadata,
  MetricStatement,
  Sourced,
  StatedSource,
} from './metric-meaning.ts';
export {
  changedStatement,
  isNamedAsCounter,
  kindOfSeries,
  meaningOf,
  mergeMetadata,
  shownKind,
  shownMeaning,
} from './metric-meaning.ts';
export type { PartitionMap } from './partition-map.ts';
export { evenMap, packSlots, partitionOf, SLOTS, slotOf, unpackSlots } from './partition-map.ts';
export type { PointLimits } from './point-limits.ts';
export { DEFAULT_POINT_LIMITS } from './point-limits.ts';
export type { SeriesName } from './series.ts';
export { canonicalBytes, hash128, ID_BYTES, metricId, nameBytes, seriesId, seriesName } from './series.ts';
export type { SeriesClass } from './series-class.ts';
export { classOfKind, isSeriesClass, kindOfClass, SERIES_CLASS, seriesClassName } from './series-class.ts';
export { SERVICE_CHECK_STATUSES, serviceCheckMetric } from './service-check.ts';
export { isStaleMarker, STALE_MARKER } from './stale-marker.ts';
export type { StatedIntervals } from './stated-intervals.ts';
export {
  daysHeldAfter,
  FOUND_BEFORE_MS,
  HOLD_INTERVALS,
  INTERVAL_LIMIT_MS,
  NOTHING_STATED,
} from './stated-intervals.ts';
export { cutTexts, STATEMENT_LIMITS } from './statement-limits.ts';
export { tagsKey } from './tags-key.ts';
