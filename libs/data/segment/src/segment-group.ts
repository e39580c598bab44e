import type { MetricKey } from './metric-key.ts';

/** Bytes of a segment, and their CRC-32C where it is known before they are read. */
export interface SegmentRange {
  readonly offset: number;
  readonly length: number;
  readonly crc32c?: number;
}

/** What the index says of a page. */
export interface PagePlace extends SegmentRange {
  /** That at the end of the page. */
  readonly crc32c: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly slots: number;
  readonly points: number;
  /** The times records that it has times in, in the order in which it names them. */
  readonly records: readonly SegmentRange[];
}

/** Up to 256 series of one metric, and the pages with all of their points. */
export interface SegmentGroup extends MetricKey {
  /** The number of the first series: others follow one after the other, and pages name them so. */
  readonly firstSeries: number;
  readonly series: number;
  readonly firstId: Uint8Array;
  readonly lastId: Uint8Array;
  /** The ids of the series between the first and the last one; undefined where there are none. */
  readonly ids: SegmentRange | undefined;
  /** Of each series in the order of map epochs, then of time. */
  readonly pages: readonly PagePlace[];
}
