/** Index of the first of ascending times [from, to) that is at or after `timeMs`; `to` for none. */
export function lowerBound(timesMs: Float64Array, timeMs: number, from: number, to: number): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timesMs[middle] < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
