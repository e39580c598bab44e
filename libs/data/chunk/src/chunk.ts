import { type ByteWriter, crc32c } from '@tidemark/bytes';
import {
  ColumnReader,
  readTimeBlocks,
  readValues,
  TIME_LIMIT_MS,
  type TimeRange,
  writeTimeBlocks,
  writeValues,
} from '@tidemark/columns';
import { assert } from '@tidemark/ports';
import type { ChunkPoints, ChunkSketches } from './chunk-points.ts';
import { lowerBound } from './lower-bound.ts';

const VERSION = 1;
const VERSION_BITS = 0x0f;
/** Bit 4 of the first byte: sketches instead of float64 values. */
const SKETCHES = 0x10;
/** Bit 5 of the first byte: times are one step apart, so that they need no column. */
const REGULAR = 0x20;
const CHECKSUM_BYTES = 4;

/** Maximum points of one chunk. It bounds the memory that decoding a few bytes can allocate. */
export const CHUNK_POINTS_LIMIT = 2 ** 20;

/** The header of a chunk. */
export interface ChunkSummary {
  /** True for a chunk of sketches. */
  sketches: boolean;
  count: number;
  minTimeMs: number;
  maxTimeMs: number;
}

const reader = new ColumnReader('chunk');
const header = { regular: false, sketches: false, count: 0, minTimeMs: 0, maxTimeMs: 0, stepMs: 0 };

/**
 * Appends the chunk of points [from, to) of one series to `out` (docs/formats/chunk.md): 1 to `CHUNK_POINTS_LIMIT`
 * points, times non-decreasing integers below `TIME_LIMIT_MS` in size.
 */
export function encodeChunk(
  timesMs: Float64Array<ArrayBuffer>,
  values: Float64Array<ArrayBuffer>,
  from: number,
  to: number,
  out: ByteWriter,
): void {
  const start = out.length;
  writeHeaderAndTimes(0, timesMs, from, to, out);
  writeValues(values, from, to, out);
  out.u32(crc32c(out.view().subarray(start)));
}

/**
 * Appends the chunk of sketches [from, to) of one series to `out`, as `encodeChunk` does; their encoded bytes are kept
 * unchanged.
 */
export function encodeSketchChunk(
  timesMs: Float64Array<ArrayBuffer>,
  payloads: readonly Uint8Array[],
  from: number,
  to: number,
  out: ByteWriter,
): void {
  const start = out.length;
  writeHeaderAndTimes(SKETCHES, timesMs, from, to, out);
  for (let i = from; i < to; i++) out.varint(payloads[i].length);
  for (let i = from; i < to; i++) out.bytes(payloads[i]);
  out.u32(crc32c(out.view().subarray(start)));
}

/**
 * Appends a chunk's points to `points` and returns their number. Throws TidemarkError `data_loss`, leaving
 * `points.length` unchanged, for bytes that are not one whole chunk of values.
 */
export function decodeChunk(bytes: Uint8Array, points: ChunkPoints): number {
  openChecked(bytes, false);
  const { count } = header;
  points.reserve(count);
  readTimes(points.timesMs, points.length);
  readValues(reader, count, points.values, points.length);
  readEnd();
  points.length += count;
  return count;
}

/**
 * Appends a chunk's sketches to `sketches` and returns their number, as `decodeChunk` does; payloads are views of
 * `bytes`.
 */
export function decodeSketchChunk(bytes: Uint8Array, sketches: ChunkSketches): number {
  openChecked(bytes, true);
  const { count } = header;
  // A sketch takes at least one byte, for its size.
  if (count > reader.remaining) reader.fail(`${count} sketches in ${reader.remaining} bytes`);
  sketches.reserve(count);
  readTimes(sketches.timesMs, sketches.length);
  const sizesAt = reader.position;
  let size = 0;
  for (let i = 0; i < count; i++) size += reader.varint();
  let at = reader.take(size);
  readEnd();
  reader.position = sizesAt;
  for (let i = 0; i < count; i++) {
    const end = at + reader.varint();
    sketches.payloads[sketches.length + i] = bytes.subarray(at, end);
    at = end;
  }
  sketches.length += count;
  return count;
}

/** Reads the header alone and does not check the checksum. Throws TidemarkError `data_loss` for an invalid header. */
export function chunkSummary(bytes: Uint8Array): ChunkSummary {
  reader.open(bytes.subarray(0, HEADER_LIMIT_BYTES));
  readHeader();
  const { sketches, count, minTimeMs, maxTimeMs } = header;
  return { sketches, count, minTimeMs, maxTimeMs };
}

let timesScratch = new Float64Array(256);

/**
 * How many points of a chunk lie before `timeMs`, without decoding its values. The checksum is not checked. Throws
 * TidemarkError `data_loss` if the bytes can't be those of a chunk.
 */
export function pointsBefore(bytes: Uint8Array, timeMs: number): number {
  reader.open(bytes);
  readHeader();
  const { count, minTimeMs, maxTimeMs, stepMs, regular } = header;
  if (timeMs <= minTimeMs) return 0;
  if (timeMs > maxTimeMs) return count;
  if (regular) return Math.ceil((timeMs - minTimeMs) / stepMs);
  if (timesScratch.length < count) timesScratch = new Float64Array(2 * count);
  readTimes(timesScratch, 0);
  return lowerBound(timesScratch, count, timeMs);
}

/** Maximum bytes of a header: the first byte, and three varints of at most 3, 8 and 8 bytes. */
const HEADER_LIMIT_BYTES = 20;

function writeHeaderAndTimes(kind: number, timesMs: Float64Array, from: number, to: number, out: ByteWriter): void {
  const count = to - from;
  assert(count > 0 && count <= CHUNK_POINTS_LIMIT, `a chunk holds 1 to ${CHUNK_POINTS_LIMIT} points, not ${count}`);
  const minTimeMs = timesMs[from];
  const maxTimeMs = timesMs[to - 1];
  const stepMs = count === 1 ? 0 : timesMs[from + 1] - minTimeMs;
  let irregularAt = from + 1;
  while (irregularAt < to && timesMs[irregularAt] - timesMs[irregularAt - 1] === stepMs) irregularAt++;
  const regular = irregularAt === to;
  assert(stepMs >= 0, 'times of a chunk must not descend');
  for (let i = irregularAt; i < to; i++) {
    // In this form NaN fails as well.
    assert(timesMs[i] >= timesMs[i - 1], 'times of a chunk must not descend');
  }
  assert(
    isTime(minTimeMs) && isTime(maxTimeMs),
    `times must be integers in milliseconds: ${minTimeMs} to ${maxTimeMs}`,
  );
  out.u8(VERSION | kind | (regular ? REGULAR : 0));
  out.varint(count);
  out.signedVarint(minTimeMs);
  if (regular) {
    assert(Number.isInteger(stepMs), `the step must be an integer: ${stepMs} ms`);
    out.varint(stepMs);
  } else {
    out.varint(maxTimeMs - minTimeMs);
    writeTimeBlocks(timesMs, from, to, minTimeMs, out);
  }
}

function isTime(timeMs: number): boolean {
  return Math.abs(timeMs) < TIME_LIMIT_MS && Number.isInteger(timeMs);
}

function openChecked(bytes: Uint8Array, sketches: boolean): void {
  const end = bytes.length - CHECKSUM_BYTES;
  reader.open(bytes);
  if (end < 0) reader.fail(`${bytes.length} bytes are too few for a chunk`);
  reader.position = end;
  if (reader.u32() !== crc32c(bytes.subarray(0, end))) reader.fail('a wrong checksum');
  reader.position = 0;
  reader.end = end;
  readHeader();
  if (header.sketches !== sketches) reader.fail(sketches ? 'values, not sketches' : 'sketches, not values');
}

function readHeader(): void {
  const head = reader.u8();
  const version = head & VERSION_BITS;
  if (version !== VERSION) reader.fail(`version ${version}, this program reads ${VERSION}`);
  if (head > (VERSION | SKETCHES | REGULAR)) reader.fail(`unknown flags ${head}`);
  header.sketches = (head & SKETCHES) !== 0;
  header.regular = (head & REGULAR) !== 0;
  header.count = reader.count(CHUNK_POINTS_LIMIT, 'points in a chunk');
  if (header.count === 0) reader.fail('an empty chunk');
  header.minTimeMs = reader.signedVarint();
  const distance = reader.varint();
  header.stepMs = distance;
  header.maxTimeMs = header.minTimeMs + (header.regular ? distance * (header.count - 1) : distance);
  if (header.minTimeMs <= -TIME_LIMIT_MS || header.maxTimeMs >= TIME_LIMIT_MS) {
    reader.fail('a time beyond 2^51 milliseconds');
  }
}

function readTimes(target: Float64Array, at: number): void {
  const { count, minTimeMs, maxTimeMs, stepMs } = header;
  if (header.regular) {
    for (let i = 0; i < count; i++) target[at + i] = minTimeMs + i * stepMs;
    return;
  }
  const range: TimeRange = { minTimeMs: Number.POSITIVE_INFINITY, maxTimeMs: Number.NEGATIVE_INFINITY };
  readTimeBlocks(reader, count, minTimeMs, target, at, range);
  if (range.minTimeMs !== minTimeMs || range.maxTimeMs !== maxTimeMs)
    reader.fail('times differ from the range in the header');
  for (let i = at + 1; i < at + count; i++) {
    if (target[i] < target[i - 1]) reader.fail('times descend');
  }
}

function readEnd(): void {
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
}
