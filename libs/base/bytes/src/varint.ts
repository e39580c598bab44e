const MAX_BYTES = 8;
const BEYOND = 'a number beyond 53 bits';

/** A source of bytes that may be hostile: `u8` fails beyond their end. */
export interface VarintSource {
  u8(): number;
  fail(message: string): never;
}

/**
 * Reads an unsigned integer of at most 53 bits, as LEB128 of at most 8 bytes. The sum of a larger number is rounded,
 * but never to below 2^53, so the check after it is exact. Tests: `column-reader.test.ts` of columns, over both
 * sources.
 */
export function readVarint(source: VarintSource): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < MAX_BYTES; i++) {
    const byte = source.u8();
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (value > Number.MAX_SAFE_INTEGER) source.fail(BEYOND);
      return value;
    }
    scale *= 0x80;
  }
  return source.fail(BEYOND);
}

/** The signed integer of a zigzag varint: 0, -1, 1, -2, … for 0, 1, 2, 3, … */
export function signedOf(value: number): number {
  const half = Math.floor(value / 2);
  return half * 2 === value ? half : -half - 1;
}
