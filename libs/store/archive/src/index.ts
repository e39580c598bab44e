export { archiveDay, archivedDay, NAMES_TO_COME, type NamesById } from './archive-day.ts';
export { type ArchivedDay, type ArchivedSegment, decodeDay, encodeDay } from './day-manifest.ts';
export { type DayPlace, manifestKey, namesKey, segmentKey } from './day-place.ts';
export type { NamedSeries } from './names/names-format.ts';
export { NamesObject, type NamesQuery } from './names/names-object.ts';
