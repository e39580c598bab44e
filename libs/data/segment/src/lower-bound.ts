/** Index of the first of ascending times [from, length) that is at or after `timeMs`; the length for none. */
export function lowerBound(timesMs: Float64Array, timeMs: number, from: number): number {
  let low = from;
  let high = timesMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timesMs[middle] < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
