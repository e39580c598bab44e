import type { ByteWriter } from '@tidemark/bytes';
import { assert } from '@tidemark/ports';
import type { ColumnReader } from './column-reader.ts';
import { readIntegerBlock, writeIntegerBlock } from './integer-block.ts';
import { blockLength, INTEGER_LIMIT, LAST_BLOCK_VALUES } from './mini-block.ts';

const CONSTANT = 0;
const BLOCKS = 1;

const block = new Float64Array(LAST_BLOCK_VALUES);

/** Least and greatest of the times read; infinite, the wrong way round, before the first. */
export interface TimeRange {
  minTimeMs: number;
  maxTimeMs: number;
}

/** Writes `timesMs[from..to)`: integers below 2^52 in size, at least one. */
export function writeTimes(timesMs: Float64Array, from: number, to: number, out: ByteWriter): void {
  const first = timesMs[from];
  let same = from + 1;
  while (same < to && timesMs[same] === first) same++;
  if (same === to) {
    assertTime(first);
    out.u8(CONSTANT);
    out.signedVarint(first);
    return;
  }
  out.u8(BLOCKS);
  for (let at = from; at < to; ) {
    const count = blockLength(to - at);
    for (let i = 0; i < count; i++) {
      const timeMs = timesMs[at + i];
      assertTime(timeMs);
      block[i] = timeMs;
    }
    writeIntegerBlock(block, count, 0, out);
    at += count;
  }
}

/** Reads `count` times into `target` from `from` on, and widens `range` by them. */
export function readTimes(
  reader: ColumnReader,
  count: number,
  target: Float64Array,
  from: number,
  range: TimeRange,
): void {
  if (readMode(reader) === CONSTANT) {
    target.fill(readConstant(reader, range), from, from + count);
    return;
  }
  const end = from + count;
  for (let at = from; at < end; ) {
    const length = blockLength(end - at);
    readBlock(reader, length, target, at, range);
    at += length;
  }
}

/** Passes over `count` times with every check that `readTimes` makes, and widens `range` by them. */
export function inspectTimes(reader: ColumnReader, count: number, range: TimeRange): void {
  if (readMode(reader) === CONSTANT) {
    readConstant(reader, range);
    return;
  }
  for (let rest = count; rest > 0; ) {
    const length = blockLength(rest);
    readBlock(reader, length, block, 0, range);
    rest -= length;
  }
}

function assertTime(timeMs: number): void {
  assert(Math.abs(timeMs) < INTEGER_LIMIT && Math.floor(timeMs) === timeMs, `not a time in milliseconds: ${timeMs}`);
}

function readMode(reader: ColumnReader): number {
  const mode = reader.u8();
  if (mode > BLOCKS) reader.fail(`no such kind of time column: ${mode}`);
  return mode;
}

function readConstant(reader: ColumnReader, range: TimeRange): number {
  const timeMs = reader.signedVarint();
  widen(reader, range, timeMs, timeMs);
  return timeMs;
}

function readBlock(reader: ColumnReader, count: number, target: Float64Array, at: number, range: TimeRange): void {
  const head = reader.u8();
  // An exponent would make fractions.
  if ((head & 0x78) !== 0) reader.fail(`no times in a block of kind ${head}`);
  readIntegerBlock(reader, head, count, target, at);
  let min = target[at];
  let max = min;
  for (let i = 1; i < count; i++) {
    const timeMs = target[at + i];
    if (timeMs < min) min = timeMs;
    if (timeMs > max) max = timeMs;
  }
  widen(reader, range, min, max);
}

function widen(reader: ColumnReader, range: TimeRange, min: number, max: number): void {
  if (min <= -INTEGER_LIMIT || max >= INTEGER_LIMIT) reader.fail('a time beyond 2^52 milliseconds');
  if (min < range.minTimeMs) range.minTimeMs = min;
  if (max > range.maxTimeMs) range.maxTimeMs = max;
}
