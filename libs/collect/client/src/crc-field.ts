// Arithmetic of CRC-32C: a checksum's register is a polynomial over GF(2), modulo the checksum's own, bits reversed.
// range-checksums.test.ts and flipped-bit.test.ts cover it.
import { CRC_POLYNOMIAL } from '@tidemark/bytes';

/** The polynomial 1. */
export const ONE = 0x80000000 | 0;
/** x^8: by it a register is multiplied for each zero byte. */
export const BYTE = 0x00800000;

/** The product of two registers. */
export function multiply(a: number, b: number): number {
  let product = 0;
  for (let rest = a, shifted = b; rest !== 0; rest <<= 1) {
    if (rest < 0) product ^= shifted;
    shifted = timesX(shifted);
  }
  return product;
}

/** A register after one more zero bit. */
export function timesX(register: number): number {
  return (register & 1) === 1 ? (register >>> 1) ^ CRC_POLYNOMIAL : register >>> 1;
}

/** `base` to the power of `exponent`, a whole number. */
export function power(base: number, exponent: number): number {
  let [result, factor] = [ONE, base];
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = multiply(result, factor);
    factor = multiply(factor, factor);
  }
  return result;
}
