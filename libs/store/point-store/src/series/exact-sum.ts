/**
 * Sums of float64 that do not depend on the order or grouping of the summands: the exact sum, rounded once. Counts of
 * equal timestamps are summed in this way, because they reach the store in any number of commits.
 *
 * Source: Shewchuk, "Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates", 1997; the last
 * rounding is that of Python's `math.fsum`.
 */

/** Bound of the size of numbers: below it no partial sum of fewer than 2^60 numbers overflows. */
const SAFE_SIZE = 2 ** 960;
/** Number of binary digits after the point of any float64. */
const FRACTION_BITS = 1074;

/** Non-overlapping numbers, ascending in size; their exact sum is that of all summands. */
let partials: number[] = [];

/** The exact sum of `values[from..to)`, rounded to the nearest. Any NaN, or both infinities, give NaN. */
export function exactSum(values: Float64Array, from: number, to: number): number {
  const quick = integerSum(values, from, to);
  if (!Number.isNaN(quick)) return quick;
  const size = largest(values, from, to);
  // For infinities and NaN the order of plain addition makes no difference.
  if (!(size < Number.POSITIVE_INFINITY)) return plainNonFinite(values, from, to);
  if (size >= SAFE_SIZE) return hugeSum(values, from, to);
  expand(values, from, to);
  return rounded();
}

/**
 * Replaces `values[from..to)`, two or more, by fewer with the same exact sum, the largest first; they are a function of
 * that sum. Returns their end. Numbers whose sums might overflow stay unchanged.
 */
export function compactSum(values: Float64Array, from: number, to: number): number {
  const quick = integerSum(values, from, to);
  const size = Number.isNaN(quick) ? largest(values, from, to) : 0;
  if (!(size < Number.POSITIVE_INFINITY)) {
    values[from] = plainNonFinite(values, from, to);
    return from + 1;
  }
  if (size >= SAFE_SIZE) return to;
  if (!Number.isNaN(quick)) {
    values[from] = quick;
    return from + 1;
  }
  expand(values, from, to);
  const parts: number[] = [];
  while (partials.length > 0) {
    const part = rounded();
    parts.push(part);
    grow(-part);
  }
  if (parts.length === 0) parts.push(0);
  if (parts.length > to - from) return to;
  for (let i = 0; i < parts.length; i++) values[from + i] = parts[i];
  return from + parts.length;
}

/** The sum of integers that stay within 53 bits; NaN for others. */
function integerSum(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  let size = 0;
  for (let i = from; i < to; i++) {
    const value = values[i];
    if (Math.floor(value) !== value) return Number.NaN;
    size += Math.abs(value);
    sum += value;
  }
  return size <= Number.MAX_SAFE_INTEGER ? sum : Number.NaN;
}

/** The highest magnitude; NaN if there is a NaN. */
function largest(values: Float64Array, from: number, to: number): number {
  let size = 0;
  for (let i = from; i < to; i++) size = Math.max(size, Math.abs(values[i]));
  return size;
}

function plainNonFinite(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) if (!Number.isFinite(values[i])) sum += values[i];
  return sum;
}

function expand(values: Float64Array, from: number, to: number): void {
  partials = [];
  for (let i = from; i < to; i++) grow(values[i]);
}

/** Adds a number to the partials, without any rounding. */
function grow(value: number): void {
  let x = value;
  let kept = 0;
  for (let i = 0; i < partials.length; i++) {
    let y = partials[i];
    if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
    const high = x + y;
    const low = y - (high - x);
    if (low !== 0) partials[kept++] = low;
    x = high;
  }
  partials.length = kept;
  if (x !== 0) partials.push(x);
}

/** The sum of the partials, rounded to the nearest, ties to even. */
function rounded(): number {
  let left = partials.length;
  if (left === 0) return 0;
  let high = partials[--left];
  let low = 0;
  while (left > 0 && low === 0) {
    const x = high;
    const y = partials[--left];
    high = x + y;
    low = y - (high - x);
  }
  // The first rounding may have been a tie, which the remaining partials decide.
  if (left > 0 && ((low < 0 && partials[left - 1] < 0) || (low > 0 && partials[left - 1] > 0))) {
    const twice = low * 2;
    const other = high + twice;
    if (twice === other - high) high = other;
  }
  return high;
}

/** The exact sum, rounded, computed with integers of any size, for numbers whose partial sums overflow. */
function hugeSum(values: Float64Array, from: number, to: number): number {
  let sum = 0n;
  for (let i = from; i < to; i++) sum += toInteger(values[i]);
  return fromInteger(sum);
}

const bits = new DataView(new ArrayBuffer(8));

/** A finite number times 2^FRACTION_BITS. */
function toInteger(value: number): bigint {
  bits.setFloat64(0, value);
  const word = bits.getBigUint64(0);
  const exponent = Number((word >> 52n) & 0x7ffn);
  const fraction = word & 0xf_ffff_ffff_ffffn;
  const size = exponent === 0 ? fraction : (fraction | (1n << 52n)) << BigInt(exponent - 1);
  return value < 0 ? -size : size;
}

function fromInteger(sum: bigint): number {
  const size = sum < 0n ? -sum : sum;
  const length = size.toString(2).length;
  let value: number;
  if (length <= 53) {
    value = Number(size) * 2 ** -FRACTION_BITS;
  } else {
    const shift = BigInt(Math.max(0, length - 64));
    const top = size >> shift;
    // One bit represents all bits that were cut off, so that only a real tie is treated as a tie.
    const sticky = top << shift === size ? top : top | 1n;
    value = Number(sticky) * 2 ** (Number(shift) - FRACTION_BITS);
  }
  return sum < 0n ? -value : value;
}
