/** Index of the first of `length` ascending times that is at or after `timeMs`; `length` for none. */
export function lowerBound(timesMs: Float64Array, length: number, timeMs: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timesMs[middle] < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
