/**
 * Maximum digits of a decimal. Most metrics are decimal fractions of few digits. A float64 v has e digits when
 * v = r / 10^e for an integer r, bit by bit; the integers pack far better than the floats (the idea of Afroozeh, Kuffó
 * and Boncz, "ALP: Adaptive Lossless floating-Point Compression", SIGMOD 2023; here decoding is one division, which
 * IEEE 754 rounds correctly, so that no exceptions need to be stored).
 */
export const EXPONENT_LIMIT = 14;

/** The powers 10^e, exact in float64. */
export const POWERS_OF_TEN: readonly number[] = Array.from({ length: EXPONENT_LIMIT + 2 }, (_, e) => Number(`1e${e}`));

/** A constant that rounds a number below 2^51 to an integer when it is added and subtracted. */
const ROUNDER = 6_755_399_441_055_744;
const SCALED_LIMIT = 2 ** 51;
const SAMPLE = 8;

/** Index of the first value without an exponent in the last `toDecimals` that returned -1. */
export let undecimalAt = 0;

/**
 * Writes the integers r with r / 10^e = value into `integers`, and returns the lowest such e. When no e up to
 * `EXPONENT_LIMIT` is valid for all values, returns -1 and sets `undecimalAt`. Negative zero, NaN and the infinities
 * are not decimals.
 */
export function toDecimals(values: Float64Array, from: number, count: number, integers: Float64Array): number {
  // A few values nearly always show how many digits the block needs.
  const stride = count <= SAMPLE ? 1 : Math.floor(count / SAMPLE);
  let exponent = 0;
  for (let i = from; i < from + count; i += stride) {
    const digits = digitsOf(values[i], exponent);
    if (digits < 0) break;
    exponent = digits;
  }
  for (;;) {
    const failed = scale(values, from, count, POWERS_OF_TEN[exponent], integers);
    if (failed === count) return exponent;
    const digits = digitsOf(values[from + failed], exponent);
    if (digits < 0) {
      undecimalAt = failed;
      return -1;
    }
    exponent = digits;
  }
}

/** True when most of the values, by a sample, are decimals. */
export function mostlyDecimal(values: Float64Array, from: number, count: number): boolean {
  const stride = Math.max(1, Math.floor(count / SAMPLE));
  let others = 0;
  for (let i = from; i < from + count && others < 2; i += stride) {
    if (digitsOf(values[i], 0) < 0) others++;
  }
  return others < 2;
}

/** Scales values until one is not an integer over `power`; returns its index, or `count`. */
function scale(values: Float64Array, from: number, count: number, power: number, integers: Float64Array): number {
  if (power === 1) {
    for (let i = 0; i < count; i++) {
      const value = values[from + i];
      const rounded = value + ROUNDER - ROUNDER;
      if (rounded !== value || !(Math.abs(rounded) < SCALED_LIMIT) || Object.is(value, -0)) return i;
      integers[i] = rounded;
    }
    return count;
  }
  for (let i = 0; i < count; i++) {
    const value = values[from + i];
    const rounded = value * power + ROUNDER - ROUNDER;
    if (rounded / power !== value || !(Math.abs(rounded) < SCALED_LIMIT) || Object.is(value, -0)) return i;
    integers[i] = rounded;
  }
  return count;
}

/** The lowest exponent from `min` on with which `value` is an integer over a power of ten, or -1. */
function digitsOf(value: number, min: number): number {
  if (Object.is(value, -0)) return -1;
  for (let exponent = min; exponent <= EXPONENT_LIMIT; exponent++) {
    const power = POWERS_OF_TEN[exponent];
    const rounded = value * power + ROUNDER - ROUNDER;
    if (!(Math.abs(rounded) < SCALED_LIMIT)) return -1;
    if (rounded / power === value) return exponent;
  }
  return -1;
}
