import { compareBytes } from '@tidemark/bytes';
import { ID_BYTES } from '@tidemark/model';
import type { SlicedWork } from '@tidemark/ports';
import { ID_WORDS, type TagSeriesTable } from './tag-series-table.ts';

const RADIX_BITS = 11;
const RADIX = 1 << RADIX_BITS;
const PREFIX_BITS = 32;
/** Elements of one piece of work, and what they cost in units of the cost of a point. */
const PIECE = 8192;
const PIECE_COST = 512;

/**
 * Positions in a list of dense ids, in the bytewise order of their series ids: a radix sort by the first four bytes
 * (series ids are hashes, so these are spread evenly), then a sort of the few with equal ones by all sixteen bytes.
 */
export function* orderBySeriesId(dense: Uint32Array, series: TagSeriesTable): SlicedWork<Uint32Array, number> {
  let order = new Uint32Array(dense.length);
  let prefixes = new Uint32Array(dense.length);
  for (let from = 0; from < dense.length; from += PIECE) {
    const { idWords } = series;
    for (let i = from; i < dense.length && i < from + PIECE; i++) {
      order[i] = i;
      prefixes[i] = bigEndian(idWords[dense[i] * ID_WORDS]);
    }
    yield PIECE_COST;
  }
  let nextOrder = new Uint32Array(dense.length);
  let nextPrefixes = new Uint32Array(dense.length);
  const starts = new Uint32Array(RADIX + 1);
  for (let shift = 0; shift < PREFIX_BITS; shift += RADIX_BITS) {
    starts.fill(0);
    for (let from = 0; from < prefixes.length; from += PIECE) {
      const end = Math.min(prefixes.length, from + PIECE);
      for (let i = from; i < end; i++) starts[((prefixes[i] >>> shift) & (RADIX - 1)) + 1]++;
      yield PIECE_COST;
    }
    for (let r = 0; r < RADIX; r++) starts[r + 1] += starts[r];
    for (let from = 0; from < prefixes.length; from += PIECE) {
      for (let i = from; i < prefixes.length && i < from + PIECE; i++) {
        const to = starts[(prefixes[i] >>> shift) & (RADIX - 1)]++;
        nextPrefixes[to] = prefixes[i];
        nextOrder[to] = order[i];
      }
      yield PIECE_COST;
    }
    [order, nextOrder] = [nextOrder, order];
    [prefixes, nextPrefixes] = [nextPrefixes, prefixes];
  }
  const idAt = (position: number): Uint8Array =>
    new Uint8Array(series.idWords.buffer, dense[position] * ID_BYTES, ID_BYTES);
  yield* sortEqualPrefixes(order, prefixes, (a, b) => compareBytes(idAt(a), idAt(b)));
  return order;
}

function* sortEqualPrefixes(
  order: Uint32Array,
  prefixes: Uint32Array,
  compare: (left: number, right: number) => number,
): SlicedWork<void, number> {
  let since = 0;
  for (let start = 0; start < order.length; ) {
    if (start - since >= PIECE) {
      since = start;
      yield PIECE_COST;
    }
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
