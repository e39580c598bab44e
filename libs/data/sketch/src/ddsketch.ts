import { limitError, TidemarkError } from '@tidemark/ports';
import { BucketStore, NO_HIGH } from './bucket-store.ts';
import {
  CUBIC_A,
  CUBIC_B,
  CUBIC_C,
  type CubicMapping,
  cubicMapping,
  HIGH_WORD,
  TO_SIGNIFICAND,
} from './cubic-mapping.ts';
import {
  minMagnitude,
  type QuantileEstimate,
  quantileOf,
  type ShareEstimate,
  shareOf,
  upperEdge,
} from './estimates.ts';
import { checkAllFinite, notFinite } from './not-finite.ts';
import { DEFAULT_ALPHA, MAX_BUCKETS, MAX_COUNT, MAX_POSITIVE_BUCKETS } from './sketch-limits.ts';

export interface DDSketchOptions {
  /** Relative error of quantiles, MIN_ALPHA to MAX_ALPHA; default 0.01. */
  readonly alpha?: number;
}

/** A decoded sketch as lists: positive buckets first, then negative ones, keys ascending in each. */
export interface SketchParts {
  alpha: number;
  readonly keys: Int32Array;
  readonly counts: Float64Array;
  positiveLength: number;
  negativeLength: number;
  zeroCount: number;
  count: number;
  sum: number;
  min: number;
  max: number;
  positiveCollapsed: boolean;
  negativeCollapsed: boolean;
}

/**
 * Values of a block of `insertAll`: first it computes all their keys, which do not depend on each other, then the
 * counts. That is faster than one loop of both.
 */
const BLOCK = 256;
/** The keys of one block; scratch that `insertAll` fills and `countKeys` reads. */
const blockKeys = new Int32Array(BLOCK);

/** High word of the lowest positive normal double. */
const MIN_NORMAL_WORD = 0x00100000;
const EXPONENT_MASK = 0x7ff00000;

/**
 * DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees",
 * VLDB 2019), and exact count, sum, min and max.
 *
 * Buckets, zero count, count, min and max are a function of the multiset of values alone: any order and grouping of
 * inserts and merges gives the same. `sum` is a double that is added up in the order of the calls (so it is equal for
 * equal orders), and saturates at ±Number.MAX_VALUE. -0 is 0.
 *
 * A sketch has at most MAX_BUCKETS that have a count: beyond, the lowest keys (magnitudes nearest to zero) collapse into
 * one. The positive store has priority: it keeps its highest MAX_POSITIVE_BUCKETS for any negative values, and the
 * negative store gets the remaining buckets. Every quantile outside of a collapsed bucket keeps the guarantee; inside,
 * the bounds are wider. The buckets are collapsed when they are read.
 */
export class DDSketch {
  readonly mapping: CubicMapping;
  #positive = new BucketStore();
  #negative = new BucketStore();
  #zeroCount = 0;
  #count = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;

  /** Throws `invalid_argument` for an accuracy out of its limits. */
  constructor(options: DDSketchOptions = {}) {
    this.mapping = cubicMapping(options.alpha ?? DEFAULT_ALPHA);
  }

  get alpha(): number {
    return this.mapping.alpha;
  }

  get count(): number {
    return this.#count;
  }

  get zeroCount(): number {
    return this.#zeroCount;
  }

  get sum(): number {
    return this.#sum;
  }

  /** The lowest value; Infinity when empty. */
  get min(): number {
    return this.#min;
  }

  /** The highest value; -Infinity when empty. */
  get max(): number {
    return this.#max;
  }

  /** Buckets of positive values, for encoders. They must not be changed. */
  get positive(): BucketStore {
    this.#settle();
    return this.#positive;
  }

  /** Buckets of negative values, by magnitude, for encoders. They must not be changed. */
  get negative(): BucketStore {
    this.#settle();
    return this.#negative;
  }

  /**
   * Adds `value`, `count` times. Throws `invalid_argument` for a value that is NaN or infinite or a count that is not a
   * positive integer, `out_of_range` when the sketch would have more than MAX_COUNT; the sketch is then unchanged.
   */
  insert(value: number, count = 1): void {
    if (!Number.isFinite(value)) throw notFinite(value);
    if (!(Number.isInteger(count) && count > 0)) {
      throw limitError('count', String(count), 'a positive integer');
    }
    this.#checkCount(count);
    this.#tally(value, count);
    this.#count += count;
    this.#sum = saturated(this.#sum + value * count);
    if (value < this.#min) this.#min = value + 0;
    if (value > this.#max) this.#max = value + 0;
  }

  /**
   * Adds values[from] to values[to - 1], once each, with the result of single `insert`s. Throws as `insert` does, with
   * the index in the error's detail, and adds no value then.
   */
  insertAll(values: Float64Array, from = 0, to = values.length): void {
    if (!(from >= 0 && from <= to && to <= values.length)) {
      throw limitError('from, to', `${from}, ${to}`, `a range of ${values.length} values`);
    }
    if (from === to) return;
    checkAllFinite(values, from, to);
    this.#checkCount(to - from);
    const words = new Int32Array(values.buffer, values.byteOffset, values.length * 2);
    let sum = this.#sum;
    let min = this.#min;
    let max = this.#max;
    // Local constants: an imported binding costs a load each time.
    const a = CUBIC_A;
    const b = CUBIC_B;
    const c = CUBIC_C;
    const factors = TO_SIGNIFICAND;
    const highAt = HIGH_WORD;
    const keys = blockKeys;
    const multiplier = this.mapping.multiplier;
    for (let start = from; start < to; start += BLOCK) {
      const end = Math.min(to, start + BLOCK);
      for (let i = start; i < end; i++) {
        const value = values[i];
        const signAndExponent = words[2 * i + highAt] >>> 20;
        const s = value * factors[signAndExponent] - 1;
        // Zeros and subnormals have no valid key here; countKeys detects them.
        keys[i - start] = Math.ceil((((a * s + b) * s + c) * s + ((signAndExponent & 0x7ff) - 1023)) * multiplier);
        sum += value;
        if (value < min) min = value + 0;
        if (value > max) max = value + 0;
      }
      for (let i = start; i < end; i++) {
        i = countKeys(words, start, i, end, this.#positive, this.#negative);
        if (i < end) this.#tally(values[i], 1);
      }
    }
    if (!Number.isFinite(sum)) {
      sum = this.#sum;
      for (let i = from; i < to; i++) sum = saturated(sum + values[i]);
    }
    this.#sum = sum;
    this.#min = min;
    this.#max = max;
    this.#count += to - from;
  }

  /** Adds all of `other`. Throws `invalid_argument` for another alpha, and `out_of_range` beyond MAX_COUNT. */
  merge(other: DDSketch): void {
    this.#checkAlpha(other.alpha);
    this.#checkCount(other.#count);
    if (other.#count === 0) return;
    // A merge of a sketch with itself must not read the buckets that it writes.
    this.#positive.merge(other === this ? this.#positive.copy() : other.#positive);
    this.#negative.merge(other === this ? this.#negative.copy() : other.#negative);
    this.#bound();
    this.#addSummary(other.#zeroCount, other.#count, other.#sum, other.#min, other.#max);
  }

  /** Adds a decoded sketch. Its lists are trusted; alpha and count are checked as in `merge`. */
  absorb(parts: SketchParts): void {
    this.#checkAlpha(parts.alpha);
    this.#checkCount(parts.count);
    if (parts.count === 0) return;
    const { keys, counts, positiveLength, negativeLength } = parts;
    this.#positive.addAll(keys, counts, 0, positiveLength, parts.positiveCollapsed);
    this.#negative.addAll(keys, counts, positiveLength, positiveLength + negativeLength, parts.negativeCollapsed);
    this.#bound();
    this.#addSummary(parts.zeroCount, parts.count, parts.sum, parts.min, parts.max);
  }

  /**
   * The value at rank ceil(q · count) of the sorted values, counted from 1 (`nearestRank`): an estimate within alpha of
   * it (relative), and bounds that contain it. The lowest and the highest value are exact. Throws `invalid_argument`
   * unless 0 <= q <= 1.
   */
  quantile(q: number): QuantileEstimate {
    return quantileOf(this, q);
  }

  /**
   * The share of values at most `value`, interpolated within its bucket, and bounds that contain the true share (wide
   * as that bucket's count). Infinite values give 0 or 1; NaN is an `invalid_argument`.
   */
  shareAtMost(value: number): ShareEstimate {
    return shareOf(this, value);
  }

  copy(): DDSketch {
    const out = new DDSketch({ alpha: this.alpha });
    out.#positive = this.#positive.copy();
    out.#negative = this.#negative.copy();
    out.#zeroCount = this.#zeroCount;
    out.#count = this.#count;
    out.#sum = this.#sum;
    out.#min = this.#min;
    out.#max = this.#max;
    return out;
  }

  /** Equal logical state: accuracy, buckets, zero count, count, min and max; not `sum`, which depends on the order. */
  equals(other: DDSketch): boolean {
    return (
      this.alpha === other.alpha &&
      this.#count === other.#count &&
      this.#zeroCount === other.#zeroCount &&
      this.#min === other.#min &&
      this.#max === other.#max &&
      this.positive.equals(other.positive) &&
      this.negative.equals(other.negative)
    );
  }

  /** Replaces the sum by the one that the source of the values states. It must be finite. */
  restateSum(sum: number): void {
    if (!Number.isFinite(sum)) throw notFinite(sum);
    this.#sum = sum;
  }

  /** Sets min and max to the outer edges of the outermost buckets, for sources without known extremes. */
  widenToBuckets(): void {
    if (this.#count === 0) return;
    const highBelowZero = this.negative.high();
    const high = this.positive.high();
    if (highBelowZero !== NO_HIGH) this.#min = -Math.min(Number.MAX_VALUE, upperEdge(this.mapping, highBelowZero));
    else this.#min = this.#zeroCount > 0 ? 0 : minMagnitude(this.mapping, this.#positive);
    if (high !== NO_HIGH) this.#max = Math.min(Number.MAX_VALUE, upperEdge(this.mapping, high));
    else this.#max = this.#zeroCount > 0 ? 0 : -minMagnitude(this.mapping, this.#negative);
  }

  /** Counts a finite value into its bucket. */
  #tally(value: number, count: number): void {
    if (value === 0) {
      this.#zeroCount += count;
      return;
    }
    const store = value > 0 ? this.#positive : this.#negative;
    store.add(this.mapping.keyOf(Math.abs(value)), count);
    if (store.isFull) this.#settle();
  }

  #bound(): void {
    if (this.#positive.isFull || this.#negative.isFull) this.#settle();
  }

  /**
   * Collapses the buckets beyond the limit. The floors depend only on which keys were ever seen and never fall, so an
   * early and a late collapse give the same result: max(max(k, f1), f2) = max(k, f2).
   */
  #settle(): void {
    const positive = this.#positive;
    const negative = this.#negative;
    const isCollapsed = positive.collapsed || negative.collapsed;
    if (!isCollapsed && positive.reserved + negative.reserved <= MAX_POSITIVE_BUCKETS) return;
    positive.keepHighest(MAX_POSITIVE_BUCKETS);
    negative.keepHighest(MAX_BUCKETS - positive.size());
  }

  #addSummary(zeroCount: number, count: number, sum: number, min: number, max: number): void {
    this.#zeroCount += zeroCount;
    this.#count += count;
    this.#sum = saturated(this.#sum + sum);
    if (min < this.#min) this.#min = min;
    if (max > this.#max) this.#max = max;
  }

  #checkCount(more: number): void {
    if (this.#count + more > MAX_COUNT) {
      throw new TidemarkError(
        'out_of_range',
        `count: more than ${MAX_COUNT} values in one sketch (limit: ${MAX_COUNT})`,
        {
          field: 'count',
          limit: MAX_COUNT,
        },
      );
    }
  }

  #checkAlpha(alpha: number): void {
    if (alpha !== this.alpha) {
      const limit = `${this.alpha}, the alpha of the sketch that it is merged into`;
      throw limitError('alpha', String(alpha), limit);
    }
  }
}

/**
 * Counts the keys of values[i .. end - 1] into the existing buckets; stops at the first value that needs special
 * handling (zero, subnormal, a key outside) and returns its index, or `end`.
 */
function countKeys(
  words: Int32Array,
  start: number,
  from: number,
  end: number,
  positive: BucketStore,
  negative: BucketStore,
): number {
  const positiveBins = positive.bins;
  const positiveOffset = positive.offset;
  const negativeBins = negative.bins;
  const negativeOffset = negative.offset;
  const keys = blockKeys;
  const highAt = HIGH_WORD;
  for (let i = from; i < end; i++) {
    const high = words[2 * i + highAt];
    if (high >= MIN_NORMAL_WORD) {
      const at = (keys[i - start] - positiveOffset) | 0;
      if (at < 0 || at >= positiveBins.length) return i;
      positiveBins[at]++;
    } else {
      const at = (keys[i - start] - negativeOffset) | 0;
      if ((high & EXPONENT_MASK) === 0 || at < 0 || at >= negativeBins.length) return i;
      negativeBins[at]++;
    }
  }
  return end;
}

function saturated(sum: number): number {
  return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, sum));
}
