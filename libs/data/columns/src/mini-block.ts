import type { ByteWriter } from '@tidemark/bytes';
import type { ColumnReader } from './column-reader.ts';

/**
 * Columns are cut into mini-blocks, each with a width of its own, so that an outlier widens only its neighbours. 128 is
 * where the headers stop to matter (docs/performance.md); the last block takes a short rest along. Where the data change
 * their nature, as from one metric to the next, a writer may end a block early.
 */
const BLOCK_VALUES = 128;
export const LAST_BLOCK_VALUES = 192;

/** How many of the `rest` values yet to come the next mini-block holds, unless it says otherwise. */
export function blockLength(rest: number): number {
  return rest <= LAST_BLOCK_VALUES ? rest : BLOCK_VALUES;
}

/** The low three bits of a mini-block's first byte. */
export const BLOCK = {
  /** Integers as their distance from the least of them. */
  frame: 0,
  /** Integers as their distance from the integer before, less the least such distance. */
  delta: 1,
  /** At most `DICTIONARY_VALUES` different integers, and an index for each value. */
  dictionary: 2,
  /** One float64 for all values, bit by bit. */
  same: 3,
  /** float64 in its bits: high and low words, each as a frame. */
  words: 4,
} as const;

/** Bits 3 to 6 of the first byte: values are integers divided by this power of ten. */
export const EXPONENT_SHIFT = 3;
/** Bit 7 of the first byte: the next byte says how many values there are, less one. */
const LENGTH = 0x80;

/** Writes the start of a block of `count` values, before `rest` or fewer of them are left. */
export function writeBlockHead(kind: number, exponent: number, count: number, rest: number, out: ByteWriter): void {
  const head = kind | (exponent << EXPONENT_SHIFT);
  if (count === blockLength(rest)) {
    out.u8(head);
  } else {
    out.u8(head | LENGTH);
    out.u8(count - 1);
  }
}

/** Values of the block that `readBlockHead` read. */
export let blockCount = 0;

/** Reads the start of a block into `blockCount`, and returns its kind and exponent. */
export function readBlockHead(reader: ColumnReader, rest: number): number {
  const head = reader.u8();
  if ((head & LENGTH) === 0) {
    blockCount = blockLength(rest);
  } else {
    blockCount = reader.u8() + 1;
    const limit = Math.min(rest, LAST_BLOCK_VALUES);
    if (blockCount > limit) reader.fail(`a mini-block of ${blockCount}, limit ${limit}`);
  }
  return head & ~LENGTH;
}

export const DICTIONARY_VALUES = 16;

/** Times lie below this in size, 71,000 years: so their distances from any of them are integers of 52 bits. */
export const TIME_LIMIT_MS = 2 ** 51;
