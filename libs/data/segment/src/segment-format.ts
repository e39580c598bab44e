/** Version of the format, in the header and in the footer of a segment (docs/formats/segment.md). */
export const SEGMENT_VERSION = 1;
/** The first eight bytes of a segment, and the last eight. */
export const SEGMENT_MAGIC = Buffer.from('TDMKSEGM', 'latin1');

/** Bytes of a tenant's name and of a metric's name at most: those that the settings allow. */
export const TENANT_BYTES_LIMIT = 255;
export const METRIC_BYTES_LIMIT = 4096;
/** Characters of the id of a log at most. */
export const LOG_ID_LIMIT = 64;

/** Bytes of a page at most: the longest that a writer makes, of values that are not decimals at times of their own, has 6 MB. */
export const PAGE_BYTES_LIMIT = 8 * 2 ** 20;
/** Bytes of a times record at most: a record with 65,536 bytes of columns gets one column more at most. */
export const RECORD_BYTES_LIMIT = 128 * 1024;
/** Pages of a group at most. */
export const GROUP_PAGES_LIMIT = 4096;
/** Bytes of an index block from which on it gets no further group. */
export const BLOCK_BYTES = 16 * 1024;
/** Bytes of an index block at most: one group with as many pages as it may have can follow that. */
export const BLOCK_BYTES_LIMIT = 512 * 1024;
/** Bytes of the index of blocks at most. A segment whose index grows near it is ended. */
export const TOP_INDEX_BYTES_LIMIT = 16 * 2 ** 20;
/** Bytes of an object that a reader accepts at most: offsets in it are exact. */
export const SEGMENT_BYTES_LIMIT = 2 ** 40;

/** What a segment is of: which part of which points. */
export interface SegmentHead {
  readonly partition: number;
  /** The UTC day of all points: whole days since 1970. */
  readonly day: number;
  /** Of the segments of one partition, day and records, in the order of their content from 0 on. */
  readonly part: number;
  /** The points came from records [fromOffset, toOffset) of the partition, */
  readonly fromOffset: number;
  readonly toOffset: number;
  /** of the log of this id, 1 to 64 characters of ASCII. */
  readonly logId: string;
}

/** What a segment has. */
export interface SegmentCounts {
  readonly metrics: number;
  readonly groups: number;
  readonly series: number;
  readonly pages: number;
  readonly points: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
}
