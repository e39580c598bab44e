import type { ByteWriter } from '@tidemark/bytes';
import { bitWidth, packedBytes, unpackBits, writePacked } from './bit-packing.ts';
import type { ColumnReader } from './column-reader.ts';
import { BLOCK, LAST_BLOCK_VALUES, writeBlockHead } from './mini-block.ts';

/** The exponent of an infinity or NaN, in the high word. */
const NON_FINITE = 0x7ff0_0000;

const low = new Uint32Array(LAST_BLOCK_VALUES);
const high = new Uint32Array(LAST_BLOCK_VALUES);

/**
 * Writes values that are not decimals, bit by bit. Neighbours often share sign, exponent and the first bits of the
 * fraction, and a former float32 ends in 29 zeros: so high and low words are a frame each, the low ones without their
 * common zeros. The code handles only bits and never the numbers, because a NaN loses its payload easily. Needs a
 * little-endian machine. Returns true when a value is not finite.
 */
export function writeWordsBlock(
  values: Float64Array<ArrayBuffer>,
  from: number,
  count: number,
  rest: number,
  out: ByteWriter,
): boolean {
  const words = new Uint32Array(values.buffer, values.byteOffset + 8 * from, 2 * count);
  let minLow = words[0];
  let minHigh = words[1];
  let maxHigh = minHigh;
  let nonFinite = false;
  for (let i = 0; i < count; i++) {
    const lowWord = words[2 * i];
    const highWord = words[2 * i + 1];
    low[i] = lowWord;
    high[i] = highWord;
    if (lowWord < minLow) minLow = lowWord;
    if (highWord < minHigh) minHigh = highWord;
    if (highWord > maxHigh) maxHigh = highWord;
    if (isNonFinite(highWord)) nonFinite = true;
  }
  let differing = 0;
  for (let i = 0; i < count; i++) {
    low[i] -= minLow;
    high[i] -= minHigh;
    differing |= low[i];
  }
  if (differing === 0 && minHigh === maxHigh) {
    writeBlockHead(BLOCK.same, 0, count, rest, out);
    out.u32(minLow);
    out.u32(minHigh);
    return nonFinite;
  }
  const shift = differing === 0 ? 0 : 31 - Math.clz32(differing & -differing);
  if (shift > 0) for (let i = 0; i < count; i++) low[i] >>>= shift;
  const lowWidth = bitWidth(differing >>> shift);
  const highWidth = bitWidth(maxHigh - minHigh);
  writeBlockHead(BLOCK.words, 0, count, rest, out);
  out.u8(lowWidth);
  out.u8(shift);
  out.u8(highWidth);
  out.varint(minLow);
  out.varint(minHigh);
  writePacked(low, count, lowWidth, out);
  writePacked(high, count, highWidth, out);
  return nonFinite;
}

/** Reads a block of kind `same` after its first byte into `target`. */
export function readSameBlock(reader: ColumnReader, count: number, target: Float64Array<ArrayBuffer>, at: number) {
  const words = new Uint32Array(target.buffer, target.byteOffset + 8 * at, 2 * count);
  const lowWord = reader.u32();
  const highWord = reader.u32();
  for (let i = 0; i < count; i++) {
    words[2 * i] = lowWord;
    words[2 * i + 1] = highWord;
  }
}

/** Reads a block of kind `words` after its first byte into `target`. */
export function readWordsBlock(reader: ColumnReader, count: number, target: Float64Array<ArrayBuffer>, at: number) {
  const lowWidth = width(reader);
  const shift = width(reader) & 31;
  const highWidth = width(reader);
  const minLow = reader.count(0xffff_ffff, 'as a low word');
  const minHigh = reader.count(0xffff_ffff, 'as a high word');
  unpackBits(reader.view, reader.take(packedBytes(count, lowWidth)), count, lowWidth, low);
  unpackBits(reader.view, reader.take(packedBytes(count, highWidth)), count, highWidth, high);
  const words = new Uint32Array(target.buffer, target.byteOffset + 8 * at, 2 * count);
  for (let i = 0; i < count; i++) {
    words[2 * i] = minLow + (low[i] << shift);
    words[2 * i + 1] = minHigh + high[i];
  }
}

/** Skips the bytes that `readSameBlock` would read. True when the value is not finite. */
export function inspectSameBlock(reader: ColumnReader): boolean {
  reader.u32();
  return isNonFinite(reader.u32());
}

/** Skips the bytes that `readWordsBlock` would read, with the same checks. True when a value may not be finite. */
export function inspectWordsBlock(reader: ColumnReader, count: number): boolean {
  const lowWidth = width(reader);
  width(reader);
  const highWidth = width(reader);
  reader.count(0xffff_ffff, 'as a low word');
  const minHigh = reader.count(0xffff_ffff, 'as a high word');
  reader.take(packedBytes(count, lowWidth));
  const at = reader.take(packedBytes(count, highWidth));
  // The bounds show that all are positive and below the infinities: no need to check each.
  if (minHigh + 2 ** highWidth <= NON_FINITE) return false;
  unpackBits(reader.view, at, count, highWidth, high);
  for (let i = 0; i < count; i++) {
    if (isNonFinite(minHigh + high[i])) return true;
  }
  return false;
}

function isNonFinite(highWord: number): boolean {
  return (highWord & NON_FINITE) === NON_FINITE;
}

function width(reader: ColumnReader): number {
  const bits = reader.u8();
  if (bits > 32) reader.fail(`a width of ${bits} bits (limit: 32)`);
  return bits;
}
