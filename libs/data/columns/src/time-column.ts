import type { ByteWriter } from '@tidemark/bytes';
import { assert } from '@tidemark/ports';
import type { ColumnReader } from './column-reader.ts';
import { readIntegerBlock, writeIntegerBlock } from './integer-block.ts';
import { measured, measureIntegers } from './integer-measure.ts';
import { BLOCK, blockCount, blockLength, LAST_BLOCK_VALUES, readBlockHead, TIME_LIMIT_MS } from './mini-block.ts';

const CONSTANT = 0;
const BLOCKS = 1;

const block = new Float64Array(LAST_BLOCK_VALUES);
/** The range for callers that do not need one. */
const unused: TimeRange = { minTimeMs: 0, maxTimeMs: 0 };

/** Lowest and highest of the times read; before the first, Infinity and -Infinity. */
export interface TimeRange {
  minTimeMs: number;
  maxTimeMs: number;
}

/**
 * Writes `timesMs[from..to)`, at least one time: integers below `TIME_LIMIT_MS` in size. Widens `range` by them.
 */
export function writeTimes(timesMs: Float64Array, from: number, to: number, out: ByteWriter, range: TimeRange): void {
  const first = timesMs[from];
  let same = from + 1;
  while (same < to && timesMs[same] === first) same++;
  assertTime(first);
  out.u8(same === to ? CONSTANT : BLOCKS);
  out.signedVarint(first);
  if (same < to) writeBlocks(timesMs, from, to, first, out, range);
  else widen(range, first, first);
}

/** Writes `timesMs[from..to)` as distances from `originMs`, which the reader must know. */
export function writeTimeBlocks(
  timesMs: Float64Array,
  from: number,
  to: number,
  originMs: number,
  out: ByteWriter,
): void {
  writeBlocks(timesMs, from, to, originMs, out, unused);
}

function writeBlocks(
  timesMs: Float64Array,
  from: number,
  to: number,
  originMs: number,
  out: ByteWriter,
  range: TimeRange,
): void {
  for (let at = from; at < to; ) {
    const count = blockLength(to - at);
    for (let i = 0; i < count; i++) {
      const timeMs = timesMs[at + i];
      assertTime(timeMs);
      block[i] = timeMs - originMs;
    }
    measureIntegers(block, count);
    widen(range, originMs + measured.min, originMs + measured.max);
    writeIntegerBlock(block, count, 0, to - at, out);
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
  const mode = readMode(reader);
  const first = reader.signedVarint();
  if (mode === CONSTANT) {
    checkedWiden(reader, range, first, first);
    target.fill(first, from, from + count);
  } else {
    readTimeBlocks(reader, count, first, target, from, range);
  }
}

/** Reads times that `writeTimeBlocks` wrote, and widens `range` by them. */
export function readTimeBlocks(
  reader: ColumnReader,
  count: number,
  originMs: number,
  target: Float64Array,
  from: number,
  range: TimeRange,
): void {
  const end = from + count;
  for (let at = from; at < end; ) {
    at += readBlock(reader, end - at, originMs, target, at, range);
  }
}

/** Skips `count` times with every check of `readTimes`, and widens `range` by them. */
export function inspectTimes(reader: ColumnReader, count: number, range: TimeRange): void {
  const mode = readMode(reader);
  const first = reader.signedVarint();
  if (mode === CONSTANT) {
    checkedWiden(reader, range, first, first);
    return;
  }
  for (let rest = count; rest > 0; ) {
    rest -= readBlock(reader, rest, first, block, 0, range);
  }
}

function assertTime(timeMs: number): void {
  if (Math.abs(timeMs) < TIME_LIMIT_MS && Math.floor(timeMs) === timeMs) return;
  assert(false, `a time must be an integer in milliseconds: ${timeMs}`);
}

function readMode(reader: ColumnReader): number {
  const mode = reader.u8();
  if (mode > BLOCKS) reader.fail(`unknown kind of time column ${mode}`);
  return mode;
}

/** Reads the next mini-block of at most `rest` times; returns their number. */
function readBlock(
  reader: ColumnReader,
  rest: number,
  originMs: number,
  target: Float64Array,
  at: number,
  range: TimeRange,
): number {
  const head = readBlockHead(reader, rest);
  const count = blockCount;
  if (head > BLOCK.dictionary) reader.fail(`block kind ${head} has no times`);
  readIntegerBlock(reader, head, count, target, at);
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = at; i < at + count; i++) {
    const timeMs = originMs + target[i];
    target[i] = timeMs;
    if (timeMs < min) min = timeMs;
    if (timeMs > max) max = timeMs;
  }
  checkedWiden(reader, range, min, max);
  return count;
}

function checkedWiden(reader: ColumnReader, range: TimeRange, min: number, max: number): void {
  if (min <= -TIME_LIMIT_MS || max >= TIME_LIMIT_MS) reader.fail('a time beyond 2^51 milliseconds');
  widen(range, min, max);
}

function widen(range: TimeRange, min: number, max: number): void {
  if (min < range.minTimeMs) range.minTimeMs = min;
  if (max > range.maxTimeMs) range.maxTimeMs = max;
}
