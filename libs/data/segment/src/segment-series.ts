import type { SeriesClass } from '@tidemark/model';

/** Points of one series, of batches of one map epoch: either values or sketches, one for each time. */
export interface SeriesPart {
  readonly mapEpoch: number;
  /** Milliseconds since 1970 in UTC, within the day, non-decreasing. */
  readonly timesMs: Float64Array<ArrayBuffer>;
  readonly values?: Float64Array<ArrayBuffer>;
  /** Packed sketches (docs/formats/sketch.md). */
  readonly sketches?: readonly Uint8Array[];
}

/** All points of a series on the day, as a store has them after equal timestamps were resolved. */
export interface SegmentSeries {
  readonly tenant: string;
  readonly metric: string;
  readonly seriesClass: SeriesClass;
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** At least one, ascending by map epoch, each with at least one point. */
  readonly parts: readonly SeriesPart[];
}
