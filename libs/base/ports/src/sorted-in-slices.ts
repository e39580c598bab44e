import type { SlicedWork } from './sliced-work.ts';

/** Elements that are sorted, or merged, in one piece. */
const PIECE = 512;
/** Cost of an element in each pass, in units of the cost of a point: a comparison of short texts. */
const ELEMENT_COST = 2;

/** Returns the elements in the order of `compare`, as `sort` does; pieces of them are sorted, then merged in pairs. */
export function* sortedInSlices<T>(
  elements: readonly T[],
  compare: (left: T, right: T) => number,
): SlicedWork<T[], number> {
  let sorted = elements.slice();
  for (let from = 0; from < sorted.length; from += PIECE) {
    const piece = sorted.slice(from, from + PIECE).sort(compare);
    for (let i = 0; i < piece.length; i++) sorted[from + i] = piece[i];
    yield piece.length * ELEMENT_COST * Math.log2(PIECE);
  }
  let merged = sorted.slice();
  for (let width = PIECE; width < sorted.length; width *= 2) {
    for (let from = 0; from < sorted.length; from += 2 * width) {
      const [middle, end] = [from + width, from + 2 * width].map((at) => Math.min(at, sorted.length));
      let [left, right] = [from, middle];
      for (let to = from; to < end; to++) {
        const isLeft = left < middle && (right >= end || compare(sorted[left], sorted[right]) <= 0);
        merged[to] = isLeft ? sorted[left++] : sorted[right++];
        if ((to - from + 1) % PIECE === 0) yield PIECE * ELEMENT_COST;
      }
    }
    [sorted, merged] = [merged, sorted];
  }
  return sorted;
}
