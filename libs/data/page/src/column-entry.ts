/** Bytes of a slot's entry in the table of a page. */
export const ENTRY_BYTES = 3;

/** Kinds of a slot's body. Entry: kind | exponent << 3 | exceptions << 7, width | shift << 4, two lengths of 4 bits. */
export const BODY = {
  /** One integer for all values. */
  constant: 0,
  /** The lowest integer, then the packed distances from it. */
  frame: 1,
  /** The first integer, the lowest difference, then the packed distances from that, one fewer. */
  delta: 2,
  /** Mini-blocks of values, as in a share: values that are not decimals. The entry has its length. */
  blocks: 3,
  /** Packed sketches. The entry has its length. */
  sketches: 4,
} as const;

export const KIND_BITS = 7;
/** Bit 7 of the first byte: some values are among the page's exceptions. */
export const HAS_EXCEPTIONS = 0x80;
/** Digits of a decimal at most. */
export const EXPONENT_LIMIT = 14;
/** Integers of decimals are below it in size, so that their differences are exact. */
export const INTEGER_LIMIT = 2 ** 51;
/** Bits of a packed integer at most, with its shift. */
export const WIDTH_LIMIT = 52;
/** Bytes of an integer in zigzag form at most. */
export const INTEGER_BYTES_LIMIT = 7;

/** The packed integers lack so many zeros at their low end: 0, 4, 8 or 12. */
export function shiftOf(widthByte: number): number {
  return (widthByte >> 4) & 12;
}

export function widthOf(widthByte: number): number {
  return widthByte & 63;
}
