import { compareBytes } from '@tidemark/bytes';

export function isAscending(ids: readonly Uint8Array[]): boolean {
  return ids.every((id, i) => i === 0 || compareBytes(ids[i - 1], id) < 0);
}

/** Some of the ids, or all ids, are in [first, last]. */
export function hasSome(ids: readonly Uint8Array[] | undefined, first: Uint8Array, last: Uint8Array): boolean {
  if (ids === undefined) return true;
  const at = firstAtOrAfter(ids, first);
  return at < ids.length && compareBytes(ids[at], last) <= 0;
}

/** Index of the first of ascending ids that is not below `id`. */
export function firstAtOrAfter(ids: readonly Uint8Array[], id: Uint8Array): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(ids[middle], id) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
