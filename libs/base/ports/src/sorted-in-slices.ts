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
  const sorted = elements.slice();
  for (let from = 0; from < sorted.length; from += PIECE) {
    const piece = sorted.slice(from, from + PIECE).sort(compare);
    for (let i = 0; i < piece.length; i++) sorted[from + i] = piece[i];
    yield piece.length * ELEMENT_COST * Math.log2(PIECE);
  }
  return yield* mergedInSlices(sorted, sorted.slice(), PIECE, compare, ELEMENT_COST);
}

/**
 * Merges pieces of `piece` elements, each of which is sorted, in pairs. `spare` has the length of `sorted`; the result is one of
 * the two. Equal elements keep their order. `mergedCost` is that of an element in one pass.
 */
export function* mergedInSlices<T, List extends { readonly length: number; [at: number]: T }>(
  sorted: List,
  spare: List,
  piece: number,
  compare: (left: T, right: T) => number,
  mergedCost: number,
): SlicedWork<List, number> {
  let [from, to] = [sorted, spare];
  const { length } = sorted;
  for (let width = piece; width < length; width *= 2) {
    for (let start = 0; start < length; start += 2 * width) {
      const [middle, end] = [start + width, start + 2 * width].map((at) => Math.min(at, length));
      let [left, right] = [start, middle];
      for (let at = start; at < end; at++) {
        const isLeft = left < middle && (right >= end || compare(from[left], from[right]) <= 0);
        to[at] = isLeft ? from[left++] : from[right++];
        if ((at - start + 1) % piece === 0) yield piece * mergedCost;
      }
    }
    [from, to] = [to, from];
  }
  return from;
}
