import type { ByteWriter } from '@tidemark/bytes';

/**
 * Bit packing: adjacent integers of `width` bits each, the first in the lowest bits of the first byte (frame of
 * reference, Goldstein, Ramakrishnan and Shaft, "Compressing Relations and Indexes", ICDE 1998). All columns of shares
 * and chunks use this packing.
 */

/** Bytes after the packed ones that packing may overwrite, and unpacking may read without using them. */
export const PACKING_SLACK_BYTES = 8;

/** Bytes that `count` integers of `width` bits take. */
export function packedBytes(count: number, width: number): number {
  return Math.ceil((count * width) / 8);
}

/** Bits that `range` (0 to 2^53 - 1) needs. */
export function bitWidth(range: number): number {
  if (range <= 0xffffffff) return 32 - Math.clz32(range);
  return 64 - Math.clz32(Math.floor(range / 0x1_0000_0000));
}

/** Packs `count` integers below 2^`width` (0 to 32) from `at` on. Reserve `PACKING_SLACK_BYTES` more than they take. */
export function packBits(source: Uint32Array, count: number, width: number, view: DataView, at: number): void {
  if (width === 0) return;
  let position = at;
  if (width === 32) {
    for (let i = 0; i < count; i++, position += 4) view.setUint32(position, source[i], true);
    return;
  }
  let word = 0;
  let filled = 0;
  for (let i = 0; i < count; i++) {
    const value = source[i];
    word |= value << filled;
    filled += width;
    if (filled >= 32) {
      view.setInt32(position, word, true);
      position += 4;
      filled -= 32;
      word = value >>> (width - filled);
    }
  }
  if (filled > 0) view.setInt32(position, word, true);
}

/** Unpacks what `packBits` wrote. `PACKING_SLACK_BYTES` after the packed bytes must be readable. */
export function unpackBits(view: DataView, at: number, count: number, width: number, target: Uint32Array): void {
  if (width === 0) {
    target.fill(0, 0, count);
  } else if (width <= 25) {
    // Any 25 bits are within the 32 from the byte that has the first of them.
    const mask = (1 << width) - 1;
    for (let i = 0, bit = at * 8; i < count; i++, bit += width) {
      target[i] = (view.getInt32(bit >>> 3, true) >>> (bit & 7)) & mask;
    }
  } else if (width === 32) {
    for (let i = 0, position = at; i < count; i++, position += 4) target[i] = view.getUint32(position, true);
  } else {
    const mask = (1 << width) - 1;
    for (let i = 0, bit = at * 8; i < count; i++, bit += width) {
      const byte = bit >>> 3;
      const shift = bit & 7;
      // Shifted in two steps, since a shift by 32 is a shift by 0.
      const above = (view.getUint8(byte + 4) << 1) << (31 - shift);
      target[i] = ((view.getInt32(byte, true) >>> shift) | above) & mask;
    }
  }
}

/** Appends `count` integers below 2^`width`, packed. */
export function writePacked(source: Uint32Array, count: number, width: number, out: ByteWriter): void {
  const size = packedBytes(count, width);
  const view = out.reserveView(size + PACKING_SLACK_BYTES);
  packBits(source, count, width, view, out.length);
  out.advance(size);
}

/** Bytes of `value` as a signed varint. */
export function varintBytes(value: number): number {
  return Math.ceil((bitWidth(Math.abs(value)) + 1) / 7);
}
