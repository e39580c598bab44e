const DIGIT_0 = 0x30;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;

/** 10^0 … 10^22 are exact in float64, so mantissa / 10^k is correctly rounded (Clinger 1990, the fast path). */
const POWER_OF_10 = Float64Array.from({ length: 23 }, (_, k) => Number(`1e${k}`));

/** Number of decimal digits that a float64 mantissa always holds exactly. */
const EXACT_DIGITS = 15;

/**
 * Parses the decimal number in `bytes[from, to)`: an optional sign, digits with an optional point, an optional
 * exponent. NaN when it is not a number, ±Infinity when it is too large for a float64.
 */
export function parseDecimal(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  if (at === to) return Number.NaN;
  const sign = bytes[at];
  if (sign === PLUS || sign === MINUS) at++;
  let mantissa = 0;
  let digits = 0;
  let fraction = 0;
  let point = false;
  for (; at < to; at++) {
    const digit = bytes[at] - DIGIT_0;
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit;
      digits++;
      if (point) fraction++;
    } else if (bytes[at] === DOT && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (digits === 0) return Number.NaN;
  if (at < to || digits > EXACT_DIGITS) return parseSlowly(bytes, from, to);
  const value = mantissa / POWER_OF_10[fraction];
  return sign === MINUS ? -value : value;
}

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

function parseSlowly(bytes: Uint8Array, from: number, to: number): number {
  const text = latin1(bytes, from, to);
  return DECIMAL.test(text) ? Number(text) : Number.NaN;
}

const INFINITIES = /^([+-]?)inf(?:inity)?$/i;
const LONGEST_WORD = '+infinity'.length;

/** Returns an infinity for its spellings, which are not decimals; else NaN. */
export function parseInfinity(bytes: Uint8Array, from: number, to: number): number {
  const sign = to - from > LONGEST_WORD ? null : INFINITIES.exec(latin1(bytes, from, to));
  if (sign === null) return Number.NaN;
  return sign[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** Returns true for the spellings of not-a-number, which are refused under their own reason. */
export function isNaNWord(bytes: Uint8Array, from: number, to: number): boolean {
  return to - from <= 4 && /^[+-]?nan$/i.test(latin1(bytes, from, to));
}

/** Parses a non-negative integer of at most 15 digits in `bytes[from, to)`; -1 when it is malformed. */
export function parseInteger(bytes: Uint8Array, from: number, to: number): number {
  if (from >= to || to - from > EXACT_DIGITS) return -1;
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = bytes[at] - DIGIT_0;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
}
