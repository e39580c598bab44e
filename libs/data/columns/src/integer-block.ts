import type { ByteWriter } from '@tidemark/bytes';
import { bitWidth, packedBytes, unpackBits, varintBytes, writePacked } from './bit-packing.ts';
import type { ColumnReader } from './column-reader.ts';
import { EXPONENT_LIMIT, POWERS_OF_TEN } from './decimal.ts';
import { readDictionaryBlock, skipDictionaryBlock, writeDictionaryBlock } from './dictionary-block.ts';
import { measured } from './integer-measure.ts';
import { BLOCK, EXPONENT_SHIFT, LAST_BLOCK_VALUES, writeBlockHead } from './mini-block.ts';

/** Bound of the lowest difference: differences are packed only when a signed varint holds it. */
const MIN_DELTA_LIMIT = 2 ** 51;
/** Distances that are sampled before a common factor is searched in all of them. */
const FACTOR_SAMPLE = 8;
/** Bits of a whole block below which a dictionary cannot be smaller. */
const DICTIONARY_MIN_BITS = 128;
/** Bound of distances: below it a quotient that is not an integer cannot be rounded to one. */
const FACTOR_DISTANCE_LIMIT = 2 ** 48;
/** Bit 7 of the width: the packed distances must be multiplied by a factor, which follows. */
const FACTOR = 0x80;
const WORD = 0x1_0000_0000;

const low = new Uint32Array(LAST_BLOCK_VALUES);
const high = new Uint32Array(LAST_BLOCK_VALUES);
const distances = new Float64Array(LAST_BLOCK_VALUES);

/**
 * Writes `count` (1 to `LAST_BLOCK_VALUES`) integers, each below 2^52 in size, that were measured just before, as a
 * frame, as deltas or by a dictionary: the smallest of these. The first byte has `exponent` for the reader; `rest` is
 * the number of values left in the column, including these.
 */
export function writeIntegerBlock(
  integers: Float64Array,
  count: number,
  exponent: number,
  rest: number,
  out: ByteWriter,
): void {
  const { min, max, minDelta, maxDelta } = measured;
  const frameWidth = bitWidth(max - min);
  if (frameWidth === 0) {
    writeBlockHead(BLOCK.frame, exponent, count, rest, out);
    writeFrameHead(0, 1, min, out);
    return;
  }
  let bits = count * frameWidth;
  let asDeltas = false;
  if (maxDelta - minDelta < max - min && Math.abs(minDelta) < MIN_DELTA_LIMIT) {
    const deltaBits = (count - 1) * bitWidth(maxDelta - minDelta) + 8 * varintBytes(minDelta);
    asDeltas = deltaBits < bits;
    if (asDeltas) bits = deltaBits;
  }
  if (bits >= DICTIONARY_MIN_BITS && writeDictionaryBlock(integers, count, exponent, rest, min, max, bits, out)) return;
  if (asDeltas) {
    writeBlockHead(BLOCK.delta, exponent, count, rest, out);
    writeDeltas(integers, count, minDelta, maxDelta - minDelta, out);
    return;
  }
  writeBlockHead(BLOCK.frame, exponent, count, rest, out);
  const factor = commonFactor(integers, count, min);
  const width = factor === 1 ? frameWidth : bitWidth((max - min) / factor);
  writeFrameHead(width, factor, min, out);
  writeDistances(integers, count, min, factor, width, out);
}

function writeDeltas(integers: Float64Array, count: number, minDelta: number, range: number, out: ByteWriter): void {
  const width = bitWidth(range);
  const sample = Math.min(count - 1, FACTOR_SAMPLE);
  for (let i = 0; i < sample; i++) distances[i] = integers[i + 1] - integers[i];
  if (width <= 32 && (width === 0 || sampledFactor(distances, sample, minDelta) === 1)) {
    writeFrameHead(width, 1, integers[0], out);
    out.signedVarint(minDelta);
    for (let i = 1; i < count; i++) low[i - 1] = integers[i] - integers[i - 1] - minDelta;
    writePacked(low, count - 1, width, out);
    return;
  }
  for (let i = sample; i < count - 1; i++) distances[i] = integers[i + 1] - integers[i];
  const factor = commonFactor(distances, count - 1, minDelta);
  const scaledWidth = bitWidth(range / factor);
  writeFrameHead(scaledWidth, factor, integers[0], out);
  out.signedVarint(minDelta);
  writeDistances(distances, count - 1, minDelta, factor, scaledWidth, out);
}

function writeFrameHead(width: number, factor: number, base: number, out: ByteWriter): void {
  if (factor === 1) {
    out.u8(width);
  } else {
    out.u8(width | FACTOR);
    out.varint(factor);
  }
  out.signedVarint(base);
}

/** Packs (value - base) / factor of each; above 32 bits in two planes, the low words and then the high bits. */
function writeDistances(
  integers: Float64Array,
  count: number,
  base: number,
  factor: number,
  width: number,
  out: ByteWriter,
): void {
  if (width === 0) return;
  if (width <= 32) {
    if (factor === 1) for (let i = 0; i < count; i++) low[i] = integers[i] - base;
    else for (let i = 0; i < count; i++) low[i] = (integers[i] - base) / factor;
    writePacked(low, count, width, out);
    return;
  }
  for (let i = 0; i < count; i++) {
    const distance = (integers[i] - base) / factor;
    high[i] = distance / WORD;
    low[i] = distance - high[i] * WORD;
  }
  writePacked(low, count, 32, out);
  writePacked(high, count, width - 32, out);
}

/** The greatest common divisor of the distances from `base`: 1 unless a sample of them has a larger one. */
function commonFactor(integers: Float64Array, count: number, base: number): number {
  const sample = Math.min(count, FACTOR_SAMPLE);
  let factor = sampledFactor(integers, sample, base);
  for (let i = sample; i < count && factor !== 1; i++) {
    const distance = integers[i] - base;
    // A remainder of float64 is slow, and the quotient is nearly always an integer.
    const quotient = distance / factor;
    if (Math.floor(quotient) !== quotient || factor === 0) factor = divisor(distance, factor);
    else if (distance >= FACTOR_DISTANCE_LIMIT) return 1;
  }
  return factor === 0 ? 1 : factor;
}

/** The greatest common divisor of the first `count` distances; 0 when all of them are 0. */
function sampledFactor(integers: Float64Array, count: number, base: number): number {
  let factor = 0;
  for (let i = 0; i < count && factor !== 1; i++) factor = divisor(integers[i] - base, factor);
  return factor;
}

/** Euclid's algorithm for integers of any size, in integer arithmetic as soon as possible. */
function divisor(a: number, b: number): number {
  let x = a;
  let y = b;
  while (y > 0x7fffffff || (y !== 0 && x > 0x7fffffff)) {
    const rest = x % y;
    x = y;
    y = rest;
  }
  if (y === 0) return x;
  let small = x | 0;
  let smaller = y | 0;
  while (smaller !== 0) {
    const rest = (small % smaller) | 0;
    small = smaller;
    smaller = rest;
  }
  return small;
}

/**
 * Reads the rest of a block of integers whose first byte was `head`, and writes integer / 10^exponent of each of its
 * `count` values into `target` from `at` on.
 */
export function readIntegerBlock(
  reader: ColumnReader,
  head: number,
  count: number,
  target: Float64Array,
  at: number,
): void {
  const power = powerOf(reader, head);
  const kind = head & 7;
  if (kind === BLOCK.dictionary) {
    readDictionaryBlock(reader, count, power, target, at);
    return;
  }
  if (kind > BLOCK.delta) reader.fail(`block kind ${kind} has no integers`);
  const widthByte = reader.u8();
  const width = readWidth(reader, widthByte);
  const factor = widthByte & FACTOR ? reader.varint() : 1;
  const base = reader.signedVarint();
  if (kind === BLOCK.frame) {
    readFrame(reader, width, factor, base, count, power, target, at);
  } else {
    readDeltas(reader, width, factor, base, count, power, target, at);
  }
}

/** Skips the bytes that `readIntegerBlock` would read, with the same checks. */
export function skipIntegerBlock(reader: ColumnReader, head: number, count: number): void {
  powerOf(reader, head);
  const kind = head & 7;
  if (kind === BLOCK.dictionary) {
    skipDictionaryBlock(reader, count);
    return;
  }
  if (kind > BLOCK.delta) reader.fail(`block kind ${kind} has no integers`);
  const widthByte = reader.u8();
  const width = readWidth(reader, widthByte);
  if (widthByte & FACTOR) reader.varint();
  reader.signedVarint();
  let packed = count;
  if (kind === BLOCK.delta) {
    reader.signedVarint();
    packed = count - 1;
  }
  skipPacked(reader, packed, width);
}

function readWidth(reader: ColumnReader, byte: number): number {
  const width = byte & ~FACTOR;
  if (width > 53) reader.fail(`a width of ${width} bits (limit: 53)`);
  return width;
}

function powerOf(reader: ColumnReader, head: number): number {
  const exponent = (head >> EXPONENT_SHIFT) & 15;
  if (exponent > EXPONENT_LIMIT) reader.fail(`an exponent of ${exponent} (limit: ${EXPONENT_LIMIT})`);
  return POWERS_OF_TEN[exponent];
}

function skipPacked(reader: ColumnReader, count: number, width: number): void {
  if (width <= 32) {
    reader.take(packedBytes(count, width));
  } else {
    reader.take(4 * count);
    reader.take(packedBytes(count, width - 32));
  }
}

function readFrame(
  reader: ColumnReader,
  width: number,
  factor: number,
  base: number,
  count: number,
  power: number,
  target: Float64Array,
  at: number,
): void {
  if (width === 0) {
    target.fill(base / power, at, at + count);
    return;
  }
  readDistances(reader, width, count);
  if (width > 32) {
    for (let i = 0; i < count; i++) target[at + i] = (base + (high[i] * WORD + low[i]) * factor) / power;
  } else if (power === 1) {
    for (let i = 0; i < count; i++) target[at + i] = base + low[i] * factor;
  } else {
    for (let i = 0; i < count; i++) target[at + i] = (base + low[i] * factor) / power;
  }
}

function readDeltas(
  reader: ColumnReader,
  width: number,
  factor: number,
  base: number,
  count: number,
  power: number,
  target: Float64Array,
  at: number,
): void {
  const minDelta = reader.signedVarint();
  readDistances(reader, width, count - 1);
  let value = base;
  target[at] = value / power;
  if (width > 32) {
    for (let i = 1; i < count; i++) {
      value += minDelta + (high[i - 1] * WORD + low[i - 1]) * factor;
      target[at + i] = value / power;
    }
  } else if (power === 1) {
    for (let i = 1; i < count; i++) {
      value += minDelta + low[i - 1] * factor;
      target[at + i] = value;
    }
  } else {
    for (let i = 1; i < count; i++) {
      value += minDelta + low[i - 1] * factor;
      target[at + i] = value / power;
    }
  }
}

function readDistances(reader: ColumnReader, width: number, count: number): void {
  if (width <= 32) {
    unpackBits(reader.view, reader.take(packedBytes(count, width)), count, width, low);
  } else {
    unpackBits(reader.view, reader.take(4 * count), count, 32, low);
    unpackBits(reader.view, reader.take(packedBytes(count, width - 32)), count, width - 32, high);
  }
}
