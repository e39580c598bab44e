import type { ByteWriter } from '@tidemark/bytes';
import type { ColumnReader } from './column-reader.ts';
import { toDecimals } from './decimal.ts';
import { readIntegerBlock, skipIntegerBlock, writeIntegerBlock } from './integer-block.ts';
import { BLOCK, blockLength, LAST_BLOCK_VALUES } from './mini-block.ts';
import { inspectSameBlock, inspectWordsBlock, readSameBlock, readWordsBlock, writeWordsBlock } from './words-block.ts';

const integers = new Float64Array(LAST_BLOCK_VALUES);

/** Writes `values[from..to)` so that every bit comes back. */
export function writeValues(values: Float64Array<ArrayBuffer>, from: number, to: number, out: ByteWriter): void {
  for (let at = from; at < to; ) {
    const count = blockLength(to - at);
    const exponent = toDecimals(values, at, count, integers);
    if (exponent < 0) writeWordsBlock(values, at, count, out);
    else writeIntegerBlock(integers, count, exponent, out);
    at += count;
  }
}

/** Reads `count` values into `target` from `from` on, where there must be room for them. */
export function readValues(reader: ColumnReader, count: number, target: Float64Array<ArrayBuffer>, from: number): void {
  const end = from + count;
  for (let at = from; at < end; ) {
    const length = blockLength(end - at);
    const head = reader.u8();
    if (head === BLOCK.words) readWordsBlock(reader, length, target, at);
    else if (head === BLOCK.same) readSameBlock(reader, length, target, at);
    else readIntegerBlock(reader, head, length, target, at);
    at += length;
  }
}

/** Passes over `count` values with every check that `readValues` makes. True when one of them may not be finite. */
export function inspectValues(reader: ColumnReader, count: number): boolean {
  let nonFinite = false;
  for (let rest = count; rest > 0; ) {
    const length = blockLength(rest);
    const head = reader.u8();
    if (head === BLOCK.words) nonFinite = inspectWordsBlock(reader, length) || nonFinite;
    else if (head === BLOCK.same) nonFinite = inspectSameBlock(reader) || nonFinite;
    else skipIntegerBlock(reader, head, length);
    rest -= length;
  }
  return nonFinite;
}
