import { compareBytes } from '@tidemark/bytes';
import { ID_BYTES } from '@tidemark/model';
import { ID_WORDS, type TagSeriesTable } from './tag-series-table.ts';

const RADIX_BITS = 11;
const RADIX = 1 << RADIX_BITS;
const PREFIX_BITS = 32;

/**
 * Positions in a list of dense ids, in the bytewise order of their series ids: a radix sort by the first four bytes
 * (series ids are hashes, so these are spread evenly), then a sort of the few with equal ones by all sixteen bytes.
 */
export function orderBySeriesId(dense: Uint32Array, series: TagSeriesTable): Uint32Array {
  const words = series.idWords;
  let order = new Uint32Array(dense.length);
  let prefixes = new Uint32Array(dense.length);
  for (let i = 0; i < dense.length; i++) {
    order[i] = i;
    prefixes[i] = bigEndian(words[dense[i] * ID_WORDS]);
  }
  let nextOrder = new Uint32Array(dense.length);
  let nextPrefixes = new Uint32Array(dense.length);
  const starts = new Uint32Array(RADIX + 1);
  for (let shift = 0; shift < PREFIX_BITS; shift += RADIX_BITS) {
    starts.fill(0);
    for (let i = 0; i < prefixes.length; i++) starts[((prefixes[i] >>> shift) & (RADIX - 1)) + 1]++;
    for (let r = 0; r < RADIX; r++) starts[r + 1] += starts[r];
    for (let i = 0; i < prefixes.length; i++) {
      const to = starts[(prefixes[i] >>> shift) & (RADIX - 1)]++;
      nextPrefixes[to] = prefixes[i];
      nextOrder[to] = order[i];
    }
    [order, nextOrder] = [nextOrder, order];
    [prefixes, nextPrefixes] = [nextPrefixes, prefixes];
  }
  const bytes = new Uint8Array(words.buffer);
  const idAt = (position: number): Uint8Array =>
    bytes.subarray(dense[position] * ID_BYTES, (dense[position] + 1) * ID_BYTES);
  sortEqualPrefixes(order, prefixes, (a, b) => compareBytes(idAt(a), idAt(b)));
  return order;
}

function sortEqualPrefixes(
  order: Uint32Array,
  prefixes: Uint32Array,
  compare: (left: number, right: number) => number,
): void {
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && prefixes[end] === prefixes[start]) end++;
    if (end > start + 1) order.subarray(start, end).sort(compare);
    start = end;
  }
}

/** The number of the four bytes of a word, most significant first (words are little-endian in memory). */
function bigEndian(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}
