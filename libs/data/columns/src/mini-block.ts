import type { ByteWriter } from '@tidemark/bytes';
import type { ColumnReader } from './column-reader.ts';

/**
 * Values of a mini-block. Columns are cut into mini-blocks, each with a width of its own, so that an outlier widens
 * only its neighbours. From 128 on the size of headers hardly matters (docs/performance.md); the last block includes a
 * short rest. Where the data change, as from one metric to the next, a writer may end a block early.
 */
const BLOCK_VALUES = 128;
export const LAST_BLOCK_VALUES = 192;

/** How many of the `rest` values left the next mini-block has, unless it says otherwise. */
export function blockLength(rest: number): number {
  return rest <= LAST_BLOCK_VALUES ? rest : BLOCK_VALUES;
}

/** Kinds of a mini-block: the low three bits of its first byte. */
export const BLOCK = {
  /** Integers as their distance from the lowest of them. */
  frame: 0,
  /** Integers as their distance from the integer before, minus the lowest such distance. */
  delta: 1,
  /** At most `DICTIONARY_VALUES` different integers, and an index for each value. */
  dictionary: 2,
  /** One float64 for all values, bit by bit. */
  same: 3,
  /** The bits of float64 values: high and low words, each as a frame. */
  words: 4,
} as const;

/** Position of bits 3 to 6 of the first byte: values are integers divided by this power of ten. */
export const EXPONENT_SHIFT = 3;
/** Bit 7 of the first byte: the next byte is the number of values minus one. */
const LENGTH = 0x80;

/** Writes the start of a block of `count` values when `rest` values are left, including these. */
export function writeBlockHead(kind: number, exponent: number, count: number, rest: number, out: ByteWriter): void {
  const head = kind | (exponent << EXPONENT_SHIFT);
  if (count === blockLength(rest)) {
    out.u8(head);
  } else {
    out.u8(head | LENGTH);
    out.u8(count - 1);
  }
}

/** Number of values of the block that `readBlockHead` read last. */
export let blockCount = 0;

/** Reads the start of a block into `blockCount`, and returns its kind and exponent. */
export function readBlockHead(reader: ColumnReader, rest: number): number {
  const head = reader.u8();
  if ((head & LENGTH) === 0) {
    blockCount = blockLength(rest);
  } else {
    blockCount = reader.u8() + 1;
    const limit = Math.min(rest, LAST_BLOCK_VALUES);
    if (blockCount > limit) reader.fail(`a mini-block of ${blockCount} values (limit: ${limit})`);
  }
  return head & ~LENGTH;
}

export const DICTIONARY_VALUES = 16;

/** Bound of the size of times, 71,000 years: distances between two times are then integers of 52 bits. */
export const TIME_LIMIT_MS = 2 ** 51;
