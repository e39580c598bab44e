import { compareBytes } from '@tidemark/bytes';
import { ID_BYTES } from '@tidemark/model';
import { ID_WORDS, type SeriesTable } from './series-table.ts';

const RADIX_BITS = 11;
const RADIX = 1 << RADIX_BITS;
const PREFIX_BITS = 32;

/**
 * Dense ids in the bytewise order of their series ids: a radix sort of the first four bytes (series ids are hashes, so
 * these are spread evenly), then the few that share them by all sixteen.
 */
export function sortBySeriesId(dense: Uint32Array, series: SeriesTable): Uint32Array {
  const words = series.idWords;
  let ids = dense.slice();
  let prefixes = new Uint32Array(ids.length);
  for (let i = 0; i < ids.length; i++) prefixes[i] = bigEndian(words[ids[i] * ID_WORDS]);
  let nextIds = new Uint32Array(ids.length);
  let nextPrefixes = new Uint32Array(ids.length);
  for (let shift = 0; shift < PREFIX_BITS; shift += RADIX_BITS) {
    const starts = new Uint32Array(RADIX + 1);
    for (let i = 0; i < prefixes.length; i++) starts[((prefixes[i] >>> shift) & (RADIX - 1)) + 1]++;
    for (let r = 0; r < RADIX; r++) starts[r + 1] += starts[r];
    for (let i = 0; i < prefixes.length; i++) {
      const to = starts[(prefixes[i] >>> shift) & (RADIX - 1)]++;
      nextPrefixes[to] = prefixes[i];
      nextIds[to] = ids[i];
    }
    [ids, nextIds] = [nextIds, ids];
    [prefixes, nextPrefixes] = [nextPrefixes, prefixes];
  }
  sortEqualPrefixes(ids, prefixes, words);
  return ids;
}

function sortEqualPrefixes(ids: Uint32Array, prefixes: Uint32Array, words: Uint32Array): void {
  const bytes = new Uint8Array(words.buffer);
  const idOf = (dense: number): Uint8Array => bytes.subarray(dense * ID_BYTES, (dense + 1) * ID_BYTES);
  for (let start = 0; start < ids.length; ) {
    let end = start + 1;
    while (end < ids.length && prefixes[end] === prefixes[start]) end++;
    if (end > start + 1) ids.subarray(start, end).sort((a, b) => compareBytes(idOf(a), idOf(b)));
    start = end;
  }
}

/** The number that the four bytes of a word give, most significant first (words lie in memory little-endian). */
function bigEndian(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
