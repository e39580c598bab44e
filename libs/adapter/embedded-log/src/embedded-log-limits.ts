/** The bounds of an embedded log. Every one has a default. */
export interface EmbeddedLogLimits {
  /** Largest value of one record. */
  readonly recordBytes: number;
  /** A segment is closed, and a new one begun, once it has this size. */
  readonly segmentBytes: number;
  /** Bytes of all segments of all topics together. */
  readonly maxBytes: number;
  /** The part of `maxBytes` (an eighth at most) that only `control` may use: decisions must be possible when the log is full of points. */
  readonly controlReserveBytes: number;
  /** Largest group that one write and one fsync make durable; a single larger record makes its own group. */
  readonly groupBytes: number;
  /** Bytes of values that may wait in one partition for the group before theirs. */
  readonly pendingBytes: number;
  /** Bytes of the latest records of one partition that are kept in memory for readers in this thread. */
  readonly tailCacheBytes: number;
  /** Producers of one partition that are remembered across a restart; the least recent is forgotten first. */
  readonly producers: number;
  /** Reads of one partition that may wait at the same time. */
  readonly waitingReads: number;
  /** Segment files of one partition that readers keep open. */
  readonly openSegments: number;
  /** Largest single read from a file. */
  readonly readBytes: number;
}

const MIB = 2 ** 20;

export const DEFAULT_EMBEDDED_LOG_LIMITS: EmbeddedLogLimits = {
  recordBytes: 16 * MIB,
  segmentBytes: 64 * MIB,
  maxBytes: 64 * 1024 * MIB,
  controlReserveBytes: 16 * MIB,
  groupBytes: 4 * MIB,
  pendingBytes: 32 * MIB,
  tailCacheBytes: 4 * MIB,
  producers: 4096,
  waitingReads: 1024,
  openSegments: 8,
  readBytes: 4 * MIB,
};
