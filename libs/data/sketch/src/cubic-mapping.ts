import { limitError } from '@tidemark/ports';
import { DEFAULT_ALPHA, MAX_ALPHA, MIN_ALPHA } from './sketch-limits.ts';

/**
 * Coefficients of the cubic that approximates log2(1 + s) on [0, 1), and its worst slope's ratio. They are the same in
 * every official DDSketch library, so that sketches can be exchanged bucket by bucket.
 */
export const CUBIC_A = 6 / 35;
export const CUBIC_B = -3 / 5;
export const CUBIC_C = 10 / 7;

/**
 * The smallest normal double. Values nearer to zero share its bucket: there a double itself is no longer exact to 1%.
 */
export const MIN_NORMAL = 2 ** -1022;

/** Index of a double's high word among its two 32-bit words. */
export const HIGH_WORD = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/**
 * Relative error by which rounding can move a value over a computed bucket edge: |key| < 2^22 leaves 2^-30 of a key at
 * the finest accuracy, and each key is at least 2e-4 wide. Bounds are widened by this much.
 */
export const EDGE_SLACK = 1e-12;

/**
 * Factors by the sign and exponent bits of a normal double: the product is its significand, from 1 up to 2. Exact, as
 * any scaling by a power of two, and faster than extracting the bits.
 */
export const TO_SIGNIFICAND = new Float64Array(4096);
for (let i = 1; i < 2047; i++) {
  TO_SIGNIFICAND[i] = 2 ** (1023 - i);
  TO_SIGNIFICAND[i + 2048] = -(2 ** (1023 - i));
}

const scratch = new Float64Array(1);
const scratchWords = new Uint32Array(scratch.buffer);

/**
 * The cubically interpolated logarithmic mapping of DDSketch (Masson, Rim, Lee, VLDB 2019, and the official libraries):
 * key k holds the magnitudes in (edge(k - 1), edge(k)], and edge(k) / edge(k - 1) never exceeds gamma.
 */
export class CubicMapping {
  readonly alpha: number;
  /** The ratio of bucket edges, (1 + alpha) / (1 - alpha). */
  readonly gamma: number;
  /** Keys per binary order of magnitude. */
  readonly multiplier: number;
  /** The key of the smallest normal double; no value has a lower key. */
  readonly minKey: number;
  readonly maxKey: number;

  /** Throws `invalid_argument` unless MIN_ALPHA <= alpha <= MAX_ALPHA. */
  constructor(alpha: number) {
    if (!(alpha >= MIN_ALPHA && alpha <= MAX_ALPHA)) {
      throw limitError('alpha', String(alpha), `${MIN_ALPHA} to ${MAX_ALPHA}`);
    }
    const gammaLessOne = (2 * alpha) / (1 - alpha);
    this.alpha = alpha;
    this.gamma = 1 + gammaLessOne;
    // This order of operations gives the official library's multiplier to the last bit.
    this.multiplier = 1 / Math.log1p(gammaLessOne) / CUBIC_C;
    this.minKey = Math.ceil(-1022 * this.multiplier);
    this.maxKey = this.keyOf(Number.MAX_VALUE);
  }

  /** The key of a positive finite `magnitude`. */
  keyOf(magnitude: number): number {
    if (magnitude < MIN_NORMAL) return this.minKey;
    return Math.ceil(cubicLog2(magnitude) * this.multiplier);
  }

  /** The upper edge of bucket `key`; 0 or infinity beyond what a double holds. */
  edge(key: number): number {
    return cubicExp2(key / this.multiplier);
  }

  /** The magnitude within a relative alpha of all values in bucket `key`. */
  valueOf(key: number): number {
    // Scaled before the power of two is applied, because the edge of the highest bucket itself overflows.
    return cubicExp2(key / this.multiplier, 2 / (1 + this.gamma));
  }
}

/** The mapping of `alpha`; the default one is a single shared object. */
export function cubicMapping(alpha: number): CubicMapping {
  return alpha === DEFAULT_ALPHA ? DEFAULT_MAPPING : new CubicMapping(alpha);
}

/** Exponent plus the cubic of the fraction, of a positive normal double. */
export function cubicLog2(magnitude: number): number {
  scratch[0] = magnitude;
  const exponent = scratchWords[HIGH_WORD] >>> 20;
  const s = magnitude * TO_SIGNIFICAND[exponent] - 1;
  return ((CUBIC_A * s + CUBIC_B) * s + CUBIC_C) * s + (exponent - 1023);
}

/** The inverse of `cubicLog2` by Cardano's formula, times `factor`. */
export function cubicExp2(x: number, factor = 1): number {
  const exponent = Math.floor(x);
  const delta0 = CUBIC_B * CUBIC_B - 3 * CUBIC_A * CUBIC_C;
  const delta1 =
    2 * CUBIC_B * CUBIC_B * CUBIC_B - 9 * CUBIC_A * CUBIC_B * CUBIC_C - 27 * CUBIC_A * CUBIC_A * (x - exponent);
  const p = Math.cbrt((delta1 - Math.sqrt(delta1 * delta1 - 4 * delta0 * delta0 * delta0)) / 2);
  const fraction = -(CUBIC_B + p + delta0 / p) / (3 * CUBIC_A);
  return scaleByPowerOfTwo((1 + fraction) * factor, exponent);
}

/** value · 2^exponent, without overflow or underflow on the way. */
export function scaleByPowerOfTwo(value: number, exponent: number): number {
  const half = Math.trunc(exponent / 2);
  return value * 2 ** half * 2 ** (exponent - half);
}

const DEFAULT_MAPPING = new CubicMapping(DEFAULT_ALPHA);
