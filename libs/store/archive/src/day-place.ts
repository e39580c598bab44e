import { DAY_MS } from '@tidemark/model';

/** A generation of a day of a partition: the points of records [fromOffset, toOffset) of its log. */
export interface DayPlace {
  readonly partition: number;
  /** UTC day, days since 1970. */
  readonly day: number;
  readonly generation: number;
  readonly logId: string;
  readonly fromOffset: number;
  readonly toOffset: number;
}

/** Key of the object with a part of the points. */
export function segmentKey(place: DayPlace, part: number): string {
  return `${prefixOf(place)}${place.generation}-${part}.segment`;
}

/** Key of the object with the names and tags of the series. */
export function namesKey(place: DayPlace): string {
  return `${prefixOf(place)}${place.generation}.names`;
}

/** Key of the object that says which segments a generation has. */
export function manifestKey(place: Pick<DayPlace, 'partition' | 'day' | 'generation'>): string {
  return `${prefixOf(place)}${place.generation}.json`;
}

/** `days/points-3/2026-11-30/`: days are for people, too. */
function prefixOf({ partition, day }: Pick<DayPlace, 'partition' | 'day'>): string {
  return `days/points-${partition}/${new Date(day * DAY_MS).toISOString().slice(0, 10)}/`;
}
