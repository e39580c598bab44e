import type { ByteWriter } from '@tidemark/bytes';
import type { ColumnReader } from './column-reader.ts';
import { mostlyDecimal, toDecimals, undecimalAt } from './decimal.ts';
import { readIntegerBlock, skipIntegerBlock, writeIntegerBlock } from './integer-block.ts';
import { cutPoint, measureIntegers } from './integer-measure.ts';
import { BLOCK, blockCount, blockLength, LAST_BLOCK_VALUES, readBlockHead } from './mini-block.ts';
import { inspectSameBlock, inspectWordsBlock, readSameBlock, readWordsBlock, writeWordsBlock } from './words-block.ts';

const integers = new Float64Array(LAST_BLOCK_VALUES);

/** Values of the float64 block that starts at a value that is not a decimal, among others that are. */
const SHORT_BLOCK_VALUES = 16;

/** True once `writeBlock` has written a value that is not finite. */
let wroteNonFinite = false;

/** Writes `values[from..to)` so that every bit is kept. Returns true when one of them is not finite. */
export function writeValues(values: Float64Array<ArrayBuffer>, from: number, to: number, out: ByteWriter): boolean {
  wroteNonFinite = false;
  for (let at = from; at < to; ) {
    at += writeBlock(values, at, to - at, out);
  }
  return wroteNonFinite;
}

/** Writes a mini-block of the first of the `rest` values that begin at `at`; returns their number. */
function writeBlock(values: Float64Array<ArrayBuffer>, at: number, rest: number, out: ByteWriter): number {
  let count = blockLength(rest);
  if (isConstant(values, at, count)) {
    const exponent = toDecimals(values, at, 1, integers);
    if (exponent < 0) {
      if (writeWordsBlock(values, at, count, rest, out)) wroteNonFinite = true;
    } else {
      measureIntegers(integers, 1);
      writeIntegerBlock(integers, count, exponent, rest, out);
    }
    return count;
  }
  let exponent = toDecimals(values, at, count, integers);
  if (exponent < 0) {
    if (undecimalAt < SHORT_BLOCK_VALUES) {
      if (count > SHORT_BLOCK_VALUES && mostlyDecimal(values, at + SHORT_BLOCK_VALUES, count - SHORT_BLOCK_VALUES)) {
        count = SHORT_BLOCK_VALUES;
      }
      if (writeWordsBlock(values, at, count, rest, out)) wroteNonFinite = true;
      return count;
    }
    count = undecimalAt;
    exponent = toDecimals(values, at, count, integers);
  }
  measureIntegers(integers, count);
  const cut = cutPoint(integers, count);
  if (cut < count) {
    // The shorter part may need fewer digits.
    count = cut;
    exponent = toDecimals(values, at, count, integers);
    measureIntegers(integers, count);
  }
  writeIntegerBlock(integers, count, exponent, rest, out);
  return count;
}

/** False for zeros, since they may differ in their signs. */
function isConstant(values: Float64Array, at: number, count: number): boolean {
  const value = values[at];
  const end = at + count;
  let same = value === 0 ? end : at + 1;
  while (same < end && values[same] === value) same++;
  return same === end && value !== 0;
}

/** Reads `count` values into `target` from `from` on; `target` must have space for them. */
export function readValues(reader: ColumnReader, count: number, target: Float64Array<ArrayBuffer>, from: number): void {
  const end = from + count;
  for (let at = from; at < end; ) {
    const head = readBlockHead(reader, end - at);
    const length = blockCount;
    if (head === BLOCK.words) readWordsBlock(reader, length, target, at);
    else if (head === BLOCK.same) readSameBlock(reader, length, target, at);
    else readIntegerBlock(reader, head, length, target, at);
    at += length;
  }
}

/** Skips `count` values with every check of `readValues`. True when one of them may not be finite. */
export function inspectValues(reader: ColumnReader, count: number): boolean {
  let nonFinite = false;
  for (let rest = count; rest > 0; ) {
    const head = readBlockHead(reader, rest);
    const length = blockCount;
    if (head === BLOCK.words) nonFinite = inspectWordsBlock(reader, length) || nonFinite;
    else if (head === BLOCK.same) nonFinite = inspectSameBlock(reader) || nonFinite;
    else skipIntegerBlock(reader, head, length);
    rest -= length;
  }
  return nonFinite;
}
