import type { ByteWriter } from '@tidemark/bytes';
import { assert } from '@tidemark/ports';
import { ColumnReader } from './column-reader.ts';
import type { PointColumns, SketchColumns } from './point-columns.ts';
import { inspectRefs, readRefs, writeRefs } from './ref-column.ts';
import { inspectTimes, readTimes, type TimeRange, writeTimes } from './time-column.ts';
import { inspectValues, readValues, writeValues } from './value-column.ts';

const VERSION = 1;

/** Maximum points of one share by its format. It bounds the memory that decoding a few bytes can allocate. */
export const SHARE_POINTS_LIMIT = 2 ** 20;
/** Maximum sketches of one share by its format. */
export const SHARE_SKETCHES_LIMIT = 2 ** 18;

export interface ShareLimits {
  /** Points of one share. */
  readonly points: number;
  /** Sketches of one share. */
  readonly sketches: number;
  /** Bytes of one encoded sketch. */
  readonly sketchBytes: number;
}

export const DEFAULT_SHARE_LIMITS: ShareLimits = {
  points: SHARE_POINTS_LIMIT,
  sketches: SHARE_SKETCHES_LIMIT,
  sketchBytes: 128 * 1024,
};

/** Counts and bounds of a share, without its points. */
export interface ShareSummary {
  points: number;
  sketches: number;
  /** Lowest time of points and sketches; Infinity when there are none. */
  minTimeMs: number;
  /** Highest time of points and sketches; -Infinity when there are none. */
  maxTimeMs: number;
  /** Highest ref of points and sketches; -1 when there are none. */
  maxRef: number;
  /** False only if every value is finite. */
  mayBeNonFinite: boolean;
}

const reader = new ColumnReader('share');

/**
 * Appends the share of `points` and `sketches` to `out` (docs/formats/share.md). Refs must ascend in each, times must
 * be integers below `TIME_LIMIT_MS` in size, and the counts within the format's limits. Returns the summary that
 * `inspectShare` finds in those bytes.
 */
export function encodeShare(points: PointColumns, sketches: SketchColumns | undefined, out: ByteWriter): ShareSummary {
  const sketchCount = sketches === undefined ? 0 : sketches.length;
  assert(points.length <= SHARE_POINTS_LIMIT, `a share holds at most ${SHARE_POINTS_LIMIT} points`);
  assert(sketchCount <= SHARE_SKETCHES_LIMIT, `a share holds at most ${SHARE_SKETCHES_LIMIT} sketches`);
  out.u8(VERSION);
  out.varint(points.length);
  out.varint(sketchCount);
  const range: TimeRange = { minTimeMs: Number.POSITIVE_INFINITY, maxTimeMs: Number.NEGATIVE_INFINITY };
  let maxRef = -1;
  let mayBeNonFinite = false;
  if (points.length > 0) {
    maxRef = points.refs[points.length - 1];
    writeRefs(points.refs, points.length, out);
    writeTimes(points.timesMs, 0, points.length, out, range);
    mayBeNonFinite = writeValues(points.values, 0, points.length, out);
  }
  if (sketches !== undefined && sketchCount > 0) {
    maxRef = Math.max(maxRef, sketches.refs[sketchCount - 1]);
    writeRefs(sketches.refs, sketchCount, out);
    writeTimes(sketches.timesMs, 0, sketchCount, out, range);
    for (let i = 0; i < sketchCount; i++) out.varint(sketches.payloads[i].length);
    for (let i = 0; i < sketchCount; i++) out.bytes(sketches.payloads[i]);
  }
  return { points: points.length, sketches: sketchCount, ...range, maxRef, mayBeNonFinite };
}

/** The number of points and sketches together. */
export function pointCount({ points, sketches }: ShareSummary): number {
  return points + sketches;
}

/**
 * Checks the whole structure, so that `decodeShare` cannot fail on these bytes, in one step per mini-block where refs
 * and times are regular. Throws TidemarkError `data_loss` that names the defect, or the exceeded limit. Sketches are
 * checked against their limits, and not decoded.
 */
export function inspectShare(bytes: Uint8Array, limits: ShareLimits = DEFAULT_SHARE_LIMITS): ShareSummary {
  reader.open(bytes);
  readVersion();
  const points = reader.count(Math.min(limits.points, SHARE_POINTS_LIMIT), 'points in a share');
  const sketches = reader.count(Math.min(limits.sketches, SHARE_SKETCHES_LIMIT), 'sketches in a share');
  const range: TimeRange = { minTimeMs: Number.POSITIVE_INFINITY, maxTimeMs: Number.NEGATIVE_INFINITY };
  let maxRef = -1;
  let mayBeNonFinite = false;
  if (points > 0) {
    maxRef = inspectRefs(reader, points);
    inspectTimes(reader, points, range);
    mayBeNonFinite = inspectValues(reader, points);
  }
  if (sketches > 0) {
    maxRef = Math.max(maxRef, inspectRefs(reader, sketches));
    inspectTimes(reader, sketches, range);
    let size = 0;
    for (let i = 0; i < sketches; i++) size += reader.count(limits.sketchBytes, 'bytes in a sketch');
    reader.take(size);
  }
  readEnd();
  return { points, sketches, minTimeMs: range.minTimeMs, maxTimeMs: range.maxTimeMs, maxRef, mayBeNonFinite };
}

/**
 * Appends the share's points and sketches to the columns and returns the number of both. Sketch payloads are
 * views of `bytes`. Bytes that `inspectShare` would refuse for their structure give TidemarkError `data_loss`, and
 * leave the columns' lengths unchanged.
 */
export function decodeShare(bytes: Uint8Array, points: PointColumns, sketches: SketchColumns): number {
  reader.open(bytes);
  readVersion();
  const pointCount = reader.count(SHARE_POINTS_LIMIT, 'points in a share');
  const sketchCount = reader.count(SHARE_SKETCHES_LIMIT, 'sketches in a share');
  const range: TimeRange = { minTimeMs: 0, maxTimeMs: 0 };
  points.reserve(pointCount);
  if (pointCount > 0) {
    readRefs(reader, pointCount, points.refs, points.length);
    readTimes(reader, pointCount, points.timesMs, points.length, range);
    readValues(reader, pointCount, points.values, points.length);
  }
  if (sketchCount > 0) {
    sketches.reserve(sketchCount);
    readRefs(reader, sketchCount, sketches.refs, sketches.length);
    readTimes(reader, sketchCount, sketches.timesMs, sketches.length, range);
    readPayloads(bytes, sketchCount, sketches);
  }
  readEnd();
  points.length += pointCount;
  sketches.length += sketchCount;
  return pointCount + sketchCount;
}

function readPayloads(bytes: Uint8Array, count: number, sketches: SketchColumns): void {
  const sizesAt = reader.position;
  let size = 0;
  for (let i = 0; i < count; i++) size += reader.varint();
  let start = reader.take(size);
  if (reader.remaining > 0) return;
  reader.position = sizesAt;
  for (let i = 0; i < count; i++) {
    const end = start + reader.varint();
    sketches.payloads[sketches.length + i] = bytes.subarray(start, end);
    start = end;
  }
  reader.position = reader.end;
}

function readVersion(): void {
  const version = reader.u8();
  if (version !== VERSION) reader.fail(`version ${version}, this program reads ${VERSION}`);
}

function readEnd(): void {
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
}
