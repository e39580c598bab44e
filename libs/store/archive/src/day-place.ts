import { DAY_MS } from '@tidemark/model';

const CUT_DIGITS = 16;
const DAY_OF_KEY = /^days\/points-\d+\/(\d{4}-\d\d-\d\d)\//;
const MANIFEST = /^days\/points-(\d{1,6})\/(\d{4}-\d\d-\d\d)\/(\d{16})\.json$/;

/** What the key of a manifest says. */
export type DayKey = Pick<DayPlace, 'partition' | 'day' | 'toOffset'>;

/** A generation of a day of a partition: the points of records [fromOffset, toOffset) of its log. */
export interface DayPlace {
  readonly partition: number;
  /** UTC day, days since 1970. */
  readonly day: number;
  readonly logId: string;
  readonly fromOffset: number;
  readonly toOffset: number;
}

/** Key of the object with a part of the points. */
export function segmentKey(place: DayPlace, part: number): string {
  return `${stemOf(place)}-${part}.segment`;
}

/** Key of the object with the names and tags of the series. */
export function namesKey(place: DayPlace): string {
  return `${stemOf(place)}.names`;
}

/** Key of the object that says which segments a generation has. */
export function manifestKey(place: DayKey): string {
  return `${stemOf(place)}.json`;
}

/** The manifest that a key is of; undefined for another key. */
export function dayOfManifest(key: string): DayKey | undefined {
  const found = MANIFEST.exec(key);
  if (found === null) return undefined;
  const [, partition, date, toOffset] = found;
  const dayMs = Date.parse(date);
  const place = { partition: Number(partition), day: dayMs / DAY_MS, toOffset: Number(toOffset) };
  return Number.isFinite(dayMs) && manifestKey(place) === key ? place : undefined;
}

/** The day that an object is of, days since 1970; NaN for a key of another form. */
export function dayOfKey(key: string): number {
  return Date.parse(`${DAY_OF_KEY.exec(key)?.[1]}T00:00:00Z`) / DAY_MS;
}

/** Beginning of the keys of a day of a partition, `days/points-3/2026-11-30/`, of a partition, or of all. */
export function prefixOfDays({
  partition,
  day,
}: {
  readonly partition?: number | undefined;
  readonly day?: number;
} = {}): string {
  if (partition === undefined) return 'days/';
  const own = `days/points-${partition}/`;
  return day === undefined ? own : `${own}${dateOf(day)}/`;
}

/** The date of a day: days are for people, too. */
export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** The cut has all digits of the largest offset, so that keys are in the order of cuts. */
function stemOf(place: DayKey): string {
  return prefixOfDays(place) + String(place.toOffset).padStart(CUT_DIGITS, '0');
}
