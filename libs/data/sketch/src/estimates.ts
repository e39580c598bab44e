import { limitError } from '@tidemark/ports';
import type { BucketStore } from './bucket-store.ts';
import { type CubicMapping, EDGE_SLACK } from './cubic-mapping.ts';
import { notFinite } from './not-finite.ts';

/** The parts of a sketch that estimates read. */
export interface SketchView {
  readonly mapping: CubicMapping;
  readonly positive: BucketStore;
  /** Buckets of negative values, by magnitude. */
  readonly negative: BucketStore;
  readonly zeroCount: number;
  readonly count: number;
  readonly min: number;
  readonly max: number;
}

/** A quantile: the estimate, and bounds that contain the true value. NaN three times for an empty sketch. */
export interface QuantileEstimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** A share of the values, 0 to 1, and bounds that contain the true share. NaN three times for an empty sketch. */
export interface ShareEstimate {
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

/** Implements `DDSketch.quantile`. */
export function quantileOf(sketch: SketchView, q: number): QuantileEstimate {
  if (!(q >= 0 && q <= 1)) throw limitError('q', String(q), '0 to 1');
  const { mapping, count, min, max } = sketch;
  if (count === 0) return { value: Number.NaN, low: Number.NaN, high: Number.NaN };
  if (q === 0) return clamped(sketch, min, min, min);
  if (q === 1) return clamped(sketch, max, max, max);
  let rest = Math.floor(q * (count - 1));
  const negative = sketch.negative;
  for (let i = negative.bins.length - 1; i >= 0; i--) {
    rest -= negative.bins[i];
    if (rest < 0) {
      const key = negative.offset + i;
      return clamped(sketch, -mapping.valueOf(key), -upperEdge(mapping, key), -lowerEdge(mapping, negative, i));
    }
  }
  rest -= sketch.zeroCount;
  if (rest < 0) return clamped(sketch, 0, 0, 0);
  const positive = sketch.positive;
  for (let i = 0; i < positive.bins.length; i++) {
    rest -= positive.bins[i];
    if (rest < 0) {
      const key = positive.offset + i;
      return clamped(sketch, mapping.valueOf(key), lowerEdge(mapping, positive, i), upperEdge(mapping, key));
    }
  }
  return clamped(sketch, max, max, max);
}

/** Implements `DDSketch.shareAtMost`. */
export function shareOf(sketch: SketchView, value: number): ShareEstimate {
  if (Number.isNaN(value)) throw notFinite(value);
  const { mapping, min, max } = sketch;
  if (sketch.count === 0) return { share: Number.NaN, low: Number.NaN, high: Number.NaN };
  if (value < min) return { share: 0, low: 0, high: 0 };
  if (value >= max) return { share: 1, low: 1, high: 1 };
  let low = 0;
  let likely = 0;
  let high = 0;
  const magnitude = Math.abs(value);
  const nearKey = magnitude > 0 ? mapping.keyOf(magnitude * (1 - EDGE_SLACK)) : 0;
  const farKey = magnitude > 0 ? mapping.keyOf(Math.min(Number.MAX_VALUE, magnitude * (1 + EDGE_SLACK))) : 0;
  const negative = sketch.negative;
  for (let i = 0; i < negative.bins.length; i++) {
    const count = negative.bins[i];
    if (count === 0) continue;
    const key = negative.offset + i;
    const lowest = i === 0 && negative.collapsed;
    if (value >= 0 || (key > farKey && !lowest)) {
      low += count;
      likely += count;
      high += count;
    } else if (key >= nearKey) {
      high += count;
      likely += count * (1 - fractionBelow(mapping, negative, i, magnitude));
    }
  }
  if (value >= 0) {
    low += sketch.zeroCount;
    likely += sketch.zeroCount;
    high += sketch.zeroCount;
  }
  const positive = sketch.positive;
  if (value > 0) {
    for (let i = 0; i < positive.bins.length; i++) {
      const count = positive.bins[i];
      if (count === 0) continue;
      const key = positive.offset + i;
      if (key < nearKey) {
        low += count;
        likely += count;
        high += count;
      } else if (key <= farKey || (i === 0 && positive.collapsed)) {
        high += count;
        likely += count * fractionBelow(mapping, positive, i, magnitude);
      } else {
        break;
      }
    }
  }
  return { share: likely / sketch.count, low: low / sketch.count, high: high / sketch.count };
}

/** The lowest magnitude that a store with counts may have; above 0. */
export function minMagnitude(mapping: CubicMapping, store: BucketStore): number {
  return Math.max(Number.MIN_VALUE, lowerEdge(mapping, store, store.low() - store.offset));
}

/** The highest magnitude that the bucket of a key may have. */
export function upperEdge(mapping: CubicMapping, key: number): number {
  return mapping.edge(key) * (1 + EDGE_SLACK);
}

/** The lowest magnitude that bins[i] may have. */
function lowerEdge(mapping: CubicMapping, store: BucketStore, i: number): number {
  const key = store.offset + i;
  if ((i === 0 && store.collapsed) || key === mapping.minKey) return 0;
  return mapping.edge(key - 1) * (1 - EDGE_SLACK);
}

/** An estimate of the part of bins[i] with magnitudes below `magnitude`. */
function fractionBelow(mapping: CubicMapping, store: BucketStore, i: number, magnitude: number): number {
  const lower = lowerEdge(mapping, store, i);
  const upper = Math.min(upperEdge(mapping, store.offset + i), Number.MAX_VALUE);
  return Math.min(1, Math.max(0, (magnitude - lower) / (upper - lower)));
}

function clamped({ min, max }: SketchView, value: number, low: number, high: number): QuantileEstimate {
  return {
    value: Math.min(max, Math.max(min, value)),
    low: Math.min(max, Math.max(min, low)) + 0,
    high: Math.min(max, Math.max(min, high)) + 0,
  };
}
