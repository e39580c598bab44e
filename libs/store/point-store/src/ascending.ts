import { mergedInSlices, type SlicedWork } from '@tidemark/ports';

/** Numbers that are sorted, or merged, in one piece. */
const PIECE = 8192;
/** Cost of a number in one pass, in units of the cost of a point. */
const SORTED_COST = 1 / 2;
const MERGED_COST = 1 / 8;

/** Returns the numbers, ascending. */
export function* ascending(numbers: ArrayLike<number>): SlicedWork<Uint32Array, number> {
  const sorted = Uint32Array.from(numbers);
  for (let from = 0; from < sorted.length; from += PIECE) {
    const piece = sorted.subarray(from, from + PIECE).sort();
    yield piece.length * SORTED_COST;
  }
  if (sorted.length <= PIECE) return sorted;
  return yield* mergedInSlices(
    sorted,
    new Uint32Array(sorted.length),
    PIECE,
    (a: number, b: number) => a - b,
    MERGED_COST,
  );
}
