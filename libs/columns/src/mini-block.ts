/**
 * Columns are cut into mini-blocks, each with a width of its own, so that one outlier or a change of metric widens only
 * its neighbours. 128 is where the headers stop to matter (docs/performance.md); the last block takes a short rest
 * along.
 */
export const BLOCK_VALUES = 128;
export const LAST_BLOCK_VALUES = 192;

/** How many of the `rest` values yet to come the next mini-block holds. */
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
/** Bit 7 of the first byte: the packed distances are to be multiplied by a factor. */
export const SCALED = 0x80;

export const DICTIONARY_VALUES = 16;

/** Times lie below this in size, 71,000 years: so their distances from any of them are integers of 52 bits. */
export const TIME_LIMIT_MS = 2 ** 51;
