import { limitError } from '@tidemark/ports';
import { CUBIC_C, cubicExp2, scaleByPowerOfTwo } from './cubic-mapping.ts';

/** Values of IndexMapping.Interpolation in the official DDSketch.proto. */
export const INTERPOLATION_NONE = 0;
export const INTERPOLATION_LINEAR = 1;
export const INTERPOLATION_QUADRATIC = 2;
export const INTERPOLATION_CUBIC = 3;

/**
 * The convention of the library that wrote a message: the official libraries interpret the same fields in two ways, and
 * no field says which. `upper` (JavaScript, Python): key k ends at gamma^k, and gamma is (1 + alpha) / (1 - alpha) for
 * each mapping. `lower` (Go, Java): key k begins at gamma^k, and an interpolated mapping's gamma is one key's share of
 * a power of two.
 */
export type KeyConvention = 'upper' | 'lower';

/** The mapping that a message describes: a log2-like function of magnitude, scaled and shifted. */
export class ForeignMapping {
  readonly interpolation: number;
  /** Keys per binary order of magnitude. */
  readonly multiplier: number;
  /** Key 0 of this mapping, in keys that end (rather than begin) at their power of gamma. */
  readonly shift: number;

  /** Throws `invalid_argument` for a gamma, an offset or an interpolation that no sketch has. */
  constructor(gamma: number, indexOffset: number, interpolation: number, convention: KeyConvention) {
    if (!(gamma > 1 && gamma <= MAX_GAMMA)) {
      throw limitError('gamma', String(gamma), `above 1, at most ${MAX_GAMMA}`);
    }
    if (!(Math.abs(indexOffset) <= 2 ** 31)) {
      throw limitError('indexOffset', String(indexOffset), 'a 32-bit number');
    }
    if (!Number.isInteger(interpolation) || interpolation < 0 || interpolation > INTERPOLATION_CUBIC) {
      throw limitError('interpolation', String(interpolation), '0 to 3');
    }
    // The JavaScript library's linear mapping computes an exact log2 at 1 / ln(gamma) keys an order of magnitude.
    const exactLinear = convention === 'upper' && interpolation === INTERPOLATION_LINEAR;
    this.interpolation = exactLinear ? INTERPOLATION_NONE : interpolation;
    this.multiplier =
      convention === 'lower' || interpolation === INTERPOLATION_NONE
        ? 1 / Math.log2(gamma)
        : (1 / Math.log1p(gamma - 1)) * UPPER_SCALE[interpolation];
    this.shift = convention === 'lower' ? indexOffset - 1 : indexOffset;
  }

  /** The representative value of bucket `key`: the value with the lowest relative distance to both edges. */
  valueOf(key: number): number {
    const lower = this.#edge(key - this.shift - 1);
    const upper = this.#edge(key - this.shift);
    if (upper === Number.POSITIVE_INFINITY) return lower;
    return upper === 0 ? 0 : (2 / (1 + lower / upper)) * lower;
  }

  #edge(position: number): number {
    const x = position / this.multiplier;
    const exponent = Math.floor(x);
    const part = x - exponent;
    switch (this.interpolation) {
      case INTERPOLATION_LINEAR:
        return scaleByPowerOfTwo(1 + part, exponent);
      case INTERPOLATION_QUADRATIC:
        // The inverse of part = s (4 - s) / 3.
        return scaleByPowerOfTwo(3 - Math.sqrt(4 - 3 * part), exponent);
      case INTERPOLATION_CUBIC:
        return cubicExp2(x);
      default:
        return scaleByPowerOfTwo(2 ** part, exponent);
    }
  }
}

/** Highest accepted gamma: a higher one means a relative error beyond 98%. */
const MAX_GAMMA = 100;

/** Scales by interpolation: 1 / (its steepest slope against log2, times ln 2), which keeps buckets within gamma. */
const UPPER_SCALE: readonly number[] = [Math.LN2, 1, 3 / 4, 1 / CUBIC_C];
