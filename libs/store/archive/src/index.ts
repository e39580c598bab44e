export { archiveDay, type MetricName } from './archive-day.ts';
export { type ArchivedDay, type ArchivedSegment, decodeDay, encodeDay } from './day-manifest.ts';
export { type DayPlace, manifestKey, segmentKey } from './day-place.ts';
