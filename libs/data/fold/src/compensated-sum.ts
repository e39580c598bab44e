/**
 * Adds `value` to the compensated sum at `index` of three parallel columns. The sum is
 * `sum[index] + (rest[index] + residue[index])`, see `compensatedValue`. The second-order method of Klein, "A Generalized
 * Kahan-Babuška-Summation-Algorithm", Computing 76 (2006): what the additions lose is summed too, and what those lose.
 */
export function addCompensated(
  sum: Float64Array,
  rest: Float64Array,
  residue: Float64Array,
  index: number,
  value: number,
): void {
  const old = sum[index];
  const total = old + value;
  sum[index] = total;
  // Beyond the finite numbers nothing is lost that could be given back.
  if (!Number.isFinite(total)) return;
  const lost = Math.abs(old) >= Math.abs(value) ? old - total + value : value - total + old;
  const oldRest = rest[index];
  const newRest = oldRest + lost;
  rest[index] = newRest;
  residue[index] += Math.abs(oldRest) >= Math.abs(lost) ? oldRest - newRest + lost : lost - newRest + oldRest;
}

/**
 * Adds `values[from, to)`, except for NaN, as `addCompensated` does, up to the first one that is larger than `limit`;
 * returns its index, or `to`.
 */
export function addRunCompensated(
  sum: Float64Array,
  rest: Float64Array,
  residue: Float64Array,
  index: number,
  values: Float64Array,
  from: number,
  to: number,
  limit: number,
): number {
  let total = sum[index];
  let lostSum = rest[index];
  let lostRest = residue[index];
  let i = from;
  for (; i < to; i++) {
    const value = values[i];
    if (Math.abs(value) > limit) break;
    if (Number.isNaN(value)) continue;
    const next = total + value;
    const lost = Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    const nextLost = lostSum + lost;
    lostRest += Math.abs(lostSum) >= Math.abs(lost) ? lostSum - nextLost + lost : lost - nextLost + lostSum;
    total = next;
    lostSum = nextLost;
  }
  sum[index] = total;
  rest[index] = lostSum;
  residue[index] = lostRest;
  return i;
}

/** The value of the compensated sum at `index`. */
export function compensatedValue(sum: Float64Array, rest: Float64Array, residue: Float64Array, index: number): number {
  const total = sum[index];
  return Number.isFinite(total) ? total + (rest[index] + residue[index]) : total;
}
