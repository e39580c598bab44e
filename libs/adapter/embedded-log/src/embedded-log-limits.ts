/** The bounds of an embedded log. Each has a default. */
export interface EmbeddedLogLimits {
  /** Largest value of one record, bytes. */
  readonly recordBytes: number;
  /** Size, bytes, at which a segment is closed and the next one begins. */
  readonly segmentBytes: number;
  /** Bytes of all segments of all topics together. */
  readonly maxBytes: number;
  /**
   * The part of `maxBytes` (at most an eighth) that only `control` may use, so that decisions are possible when the log
   * is full of points.
   */
  readonly controlReserveBytes: number;
  /** Largest group that one write and one fsync make durable, bytes; a single larger record makes its own group. */
  readonly groupBytes: number;
  /** Bytes of values that may wait in one partition for their group. */
  readonly pendingBytes: number;
  /** Bytes of the latest records of one partition that are kept in memory while a reader in this thread follows them. */
  readonly tailCacheBytes: number;
  /** Producers of one partition that are remembered across a restart; the oldest is forgotten first. */
  readonly producers: number;
  /** Concurrent waiting reads of one partition. */
  readonly waitingReads: number;
  /** Segment files of one partition that readers keep open. */
  readonly openSegments: number;
  /** Largest single read from a file, bytes. */
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
