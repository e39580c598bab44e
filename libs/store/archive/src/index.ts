export { archiveDay, NAMES_TO_COME, type NamesById, placeToArchive } from './archive-day.ts';
export { type ArchivedDay, type ArchivedSegment, decodeDay, encodeDay } from './day-manifest.ts';
export {
  type DayKey,
  type DayPlace,
  dateOf,
  dayOfManifest,
  manifestKey,
  namesKey,
  prefixOfDays,
  segmentKey,
} from './day-place.ts';
export { dayKeys, type ListDaysOptions, listDays, readDay, type UnreadableDay } from './list-days.ts';
export type { NamedSeries } from './names/names-format.ts';
export { NamesObject, type NamesQuery } from './names/names-object.ts';
