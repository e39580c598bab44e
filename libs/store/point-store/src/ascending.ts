import type { SlicedWork } from '@tidemark/ports';

/** Numbers that are sorted, or merged, in one piece. */
const PIECE = 8192;
/** Cost of a number in one pass, in units of the cost of a point. */
const SORTED_COST = 1 / 2;
const MERGED_COST = 1 / 8;

/** Returns the numbers, ascending. */
export function* ascending(numbers: ArrayLike<number>): SlicedWork<Uint32Array, number> {
  let sorted = Uint32Array.from(numbers);
  for (let from = 0; from < sorted.length; from += PIECE) {
    const piece = sorted.subarray(from, from + PIECE).sort();
    yield piece.length * SORTED_COST;
  }
  if (sorted.length <= PIECE) return sorted;
  let merged = new Uint32Array(sorted.length);
  for (let width = PIECE; width < sorted.length; width *= 2) {
    for (let from = 0; from < sorted.length; from += 2 * width) {
      const [middle, end] = [from + width, from + 2 * width].map((at) => Math.min(at, sorted.length));
      let [left, right] = [from, middle];
      for (let to = from; to < end; to++) {
        const isLeft = left < middle && (right >= end || sorted[left] <= sorted[right]);
        merged[to] = isLeft ? sorted[left++] : sorted[right++];
        if ((to - from + 1) % PIECE === 0) yield PIECE * MERGED_COST;
      }
    }
    [sorted, merged] = [merged, sorted];
  }
  return sorted;
}
