export { type ArchiveParts, archiveDay, NAMES_TO_COME, type NamesById, placeToArchive } from './archive-day.ts';
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
export { expireDays } from './expire-days.ts';
export { type DayFinding, type DaysQuery, type ListedDays, listDays } from './list-days.ts';
export type { NamedSeries } from './names/names-format.ts';
export { NamesObject, type NamesQuery } from './names/names-object.ts';
export { type ArchivedSeries, archivedSeries } from './read/archived-series.ts';
export type { ReadParts } from './read/day-objects.ts';
export type { ArchivedQuery } from './read/generation-series.ts';
export { nothingFound } from './read/nothing-found.ts';
export { csvHead, csvRows, jsonLines, textLines } from './read/point-lines.ts';
export { verifyDay } from './read/verify-day.ts';
