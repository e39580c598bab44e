import { limitError } from '@tidemark/ports';
import type { BucketStore } from './bucket-store.ts';
import { type CubicMapping, EDGE_SLACK } from './cubic-mapping.ts';
import { nearestRank } from './nearest-rank.ts';
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
  const rank = nearestRank(q, count);
  if (rank === 1) return clamped(sketch, min, min, min);
  if (rank === count) return clamped(sketch, max, max, max);
  const { positive, negative } = sketch;
  const below = negative.total();
  let index = rank - 1;
  if (index < below) {
    const key = negative.keyAt(below - 1 - index);
    return clamped(sketch, -mapping.valueOf(key), -upperEdge(mapping, key), -lowerEdge(mapping, negative, key));
  }
  index -= below + sketch.zeroCount;
  if (index < 0) return clamped(sketch, 0, 0, 0);
  const key = positive.keyAt(index);
  return clamped(sketch, mapping.valueOf(key), lowerEdge(mapping, positive, key), upperEdge(mapping, key));
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
  const { positive, negative } = sketch;
  negative.each((key, count) => {
    if (value >= 0 || (key > farKey && key !== negative.floor)) {
      low += count;
      likely += count;
      high += count;
    } else if (key >= nearKey) {
      high += count;
      likely += count * (1 - fractionBelow(mapping, negative, key, magnitude));
    }
  });
  if (value >= 0) {
    low += sketch.zeroCount;
    likely += sketch.zeroCount;
    high += sketch.zeroCount;
  }
  if (value > 0) {
    positive.each((key, count) => {
      if (key < nearKey) {
        low += count;
        likely += count;
        high += count;
      } else if (key <= farKey || key === positive.floor) {
        high += count;
        likely += count * fractionBelow(mapping, positive, key, magnitude);
      }
    });
  }
  return { share: likely / sketch.count, low: low / sketch.count, high: high / sketch.count };
}

/** The lowest magnitude that a store with counts may have; above 0. */
export function minMagnitude(mapping: CubicMapping, store: BucketStore): number {
  return Math.max(Number.MIN_VALUE, lowerEdge(mapping, store, store.low()));
}

/** The highest magnitude that the bucket of a key may have. */
export function upperEdge(mapping: CubicMapping, key: number): number {
  return mapping.edge(key) * (1 + EDGE_SLACK);
}

/** The lowest magnitude that the bucket of a key may have. */
function lowerEdge(mapping: CubicMapping, store: BucketStore, key: number): number {
  if (key === store.floor || key === mapping.minKey) return 0;
  return mapping.edge(key - 1) * (1 - EDGE_SLACK);
}

/** An estimate of the part of a bucket with magnitudes below `magnitude`. */
function fractionBelow(mapping: CubicMapping, store: BucketStore, key: number, magnitude: number): number {
  const lower = lowerEdge(mapping, store, key);
  const upper = Math.min(upperEdge(mapping, key), Number.MAX_VALUE);
  return Math.min(1, Math.max(0, (magnitude - lower) / (upper - lower)));
}

function clamped({ min, max }: SketchView, value: number, low: number, high: number): QuantileEstimate {
  return {
    value: Math.min(max, Math.max(min, value)),
    low: Math.min(max, Math.max(min, low)) + 0,
    high: Math.min(max, Math.max(min, high)) + 0,
  };
}
