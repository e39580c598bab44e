import fuzzysort from 'fuzzysort';

/** An item with the indexes of the characters of its text that matched, code units. */
export interface Ranked<T> {
  readonly item: T;
  readonly marks: readonly number[];
}

/**
 * Returns the items whose text has the characters of `search` in this order, in any case: equal texts first, then those
 * that begin with it, those with a word that does (after `.` or `_`), those that contain it, and the rest. Words apart by
 * spaces may be anywhere. Without a search all items, in their order.
 */
export function ranked<T>(
  search: string,
  items: readonly T[],
  textOf: (item: T) => string,
  limit: number,
): Ranked<T>[] {
  if (search.trim() === '') return items.slice(0, limit).map((item) => ({ item, marks: [] }));
  return fuzzysort
    .go(search, items, { key: textOf, limit, threshold: 0 })
    .map(({ obj, indexes }) => ({ item: obj, marks: indexes }));
}
