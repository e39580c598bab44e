import { mergedInSlices, type SlicedWork } from '@tidemark/ports';

/** Numbers that are sorted, or merged, in one piece. */
const PIECE = 8192;
/** Cost of a number in one pass, in units of the cost of a point. */
const SORTED_COST = 1 / 2;
const SORTED_BY_KEY_COST = 2;
const MERGED_COST = 1 / 8;

/** Returns the numbers, ascending. */
export function* ascending(numbers: ArrayLike<number>): SlicedWork<Uint32Array, number> {
  const sorted = Uint32Array.from(numbers);
  for (let from = 0; from < sorted.length; from += PIECE) {
    const piece = sorted.subarray(from, from + PIECE).sort();
    yield piece.length * SORTED_COST;
  }
  return yield* merged(sorted, (a, b) => a - b);
}

/** The indices [from, to) in the order of their keys, those of equal keys ascending. */
export function* orderOf(keys: Float64Array, from: number, to: number): SlicedWork<Uint32Array, number> {
  const sorted = new Uint32Array(to - from);
  for (let i = from; i < to; i++) sorted[i - from] = i;
  const compare = (a: number, b: number): number => keys[a] - keys[b] || a - b;
  for (let at = 0; at < sorted.length; at += PIECE) {
    const piece = sorted.subarray(at, at + PIECE).sort(compare);
    yield piece.length * SORTED_BY_KEY_COST;
  }
  return yield* merged(sorted, compare);
}

function* merged(pieces: Uint32Array, compare: (a: number, b: number) => number): SlicedWork<Uint32Array, number> {
  if (pieces.length <= PIECE) return pieces;
  return yield* mergedInSlices(pieces, new Uint32Array(pieces.length), PIECE, compare, MERGED_COST);
}
