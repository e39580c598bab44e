/** Version of the format, the first byte of a page (docs/formats/page.md). */
export const PAGE_VERSION = 2;
export const PAGE_SLOTS_LIMIT = 256;
/** Points of one slot at most: it bounds the memory into which a few bytes can unpack. */
export const PAGE_TIMES_LIMIT = 4096;
/** Bytes of the body of one slot at most: 20 bits, see `writeLongEntry`. */
export const BODY_BYTES_LIMIT = 2 ** 20 - 1;
export const CHECKSUM_BYTES = 4;
/** Times records of a page at most: a reader of the page reads all of them. */
export const PAGE_RECORDS_LIMIT = 4;

/** How a page has the times of a class, in the lowest three bits of its first varint. */
export const TIMES = {
  /** Start, step and count. */
  regular: 0,
  /** Step and count of the class before, and a start of its own: many senders with the same interval. */
  shifted: 1,
  /** Mini-blocks of distances from the page's first time. */
  column: 2,
  /** Those times of an earlier class whose bits are set. */
  subset: 3,
  /** Those of consecutive columns of a times record: of several classes. */
  recorded: 4,
} as const;

/** Which class each slot has. */
export const CLASSES = { one: 0, own: 1, listed: 2 } as const;

/** What an exception has in place of its value, by its code; other bits follow as they are. */
export const EXCEPTION_BITS: readonly bigint[] = [0x8000_0000_0000_0000n, 0x7ff8_0000_0000_0000n];
export const EXCEPTION_RAW = EXCEPTION_BITS.length;

/** Where the points of a page come from: records [fromOffset, toOffset) of the partition, in batches of one map epoch. */
export interface PageSource {
  readonly mapEpoch: number;
  readonly fromOffset: number;
  readonly toOffset: number;
}
