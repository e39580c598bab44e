import { ByteReader, ByteWriter, crc32c, equalBytes } from '@tidemark/bytes';
import { INTERVAL_LIMIT_MS, isKind } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import type { RefRange } from './epoch-routes.ts';
import type { TableSeries } from './series-table.ts';

// The files of a spool: docs/formats/spool.md has their byte diagrams.

export const SPOOL_VERSION = 3;
export const SPOOL_HEADER_BYTES = 44;
/** Of a record: its length, and the checksum of its body. */
export const RECORD_PREFIX_BYTES = 8;
/** The prefix, and the type that the body begins with. */
export const RECORD_HEADER_BYTES = RECORD_PREFIX_BYTES + 1;
/** Larger records don't exist: no message of a stream is. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;
const MAGIC = Buffer.from('TMSP');
/** Where a header has its checksum, that of all bytes before. It is there in every version. */
const CRC_AT = SPOOL_HEADER_BYTES - 4;
const SESSION_BYTES = 16;
const MAX_TEXT_BYTES = 8192;
const MAX_TAGS = 1000;
const MAX_PARTITION = 0xffff;

export const FILE_KIND = { definitions: 1, waiting: 2, stamped: 3, index: 4 } as const;
export type FileKind = (typeof FILE_KIND)[keyof typeof FILE_KIND];
/** The kinds of files that an index lists. */
export type DataFileKind = Exclude<FileKind, typeof FILE_KIND.index>;

/** Client sessions of this version and later ones have an index. */
export const FIRST_INDEXED = 3;

export interface SpoolHeader {
  readonly version: number;
  readonly kind: FileKind;
  readonly clientSession: Uint8Array;
  /** Sequences below were used before this file began. */
  readonly nextSequence: number;
  /** When the client session began, ms since 1970: oldest are dropped first. */
  readonly createdMs: number;
}

/** A batch that waits for its stamp: a share whose refs are series numbers. */
export interface WaitingRecord {
  readonly number: number;
  readonly points: number;
  readonly minTimeMs: number;
  readonly share: Uint8Array;
}

/** A batch with its stamp: the encoded message `Batch`. */
export interface StampedRecord {
  readonly number: number;
  readonly points: number;
  readonly minTimeMs: number;
  readonly sequence: number;
  readonly epoch: number;
  readonly stampedMs: number;
  readonly batch: Uint8Array;
}

/** What was added to a data file and synced. */
export interface Extent {
  /** The number that the file's name has. */
  readonly file: number;
  readonly kind: DataFileKind;
  /** Bytes of the file that are synced. */
  readonly endBytes: number;
  readonly nextSequence: number;
  readonly numbers: readonly number[];
  /** Of each of the batches. */
  readonly points: readonly number[];
}

export type SpoolRecord =
  | { readonly type: 'tenant'; readonly tenant: string }
  | { readonly type: 'series'; readonly first: number; readonly series: readonly TableSeries[] }
  | { readonly type: 'intervals'; readonly numbers: readonly number[]; readonly intervalsMs: readonly number[] }
  | { readonly type: 'refs'; readonly range: RefRange }
  | { readonly type: 'waiting'; readonly batch: WaitingRecord }
  | { readonly type: 'stamped'; readonly batch: StampedRecord }
  | { readonly type: 'settled'; readonly numbers: readonly number[] }
  | { readonly type: 'extent'; readonly extent: Extent }
  | { readonly type: 'removed'; readonly files: readonly number[] }
  | { readonly type: 'ended' }
  | { readonly type: 'unsure'; readonly numbers: readonly number[]; readonly points: readonly number[] };

/** The kind of data file that each record belongs to; in another kind it is bad. */
export const FILE_OF_RECORD: Readonly<Record<SpoolRecord['type'], FileKind>> = {
  tenant: FILE_KIND.definitions,
  series: FILE_KIND.definitions,
  intervals: FILE_KIND.definitions,
  refs: FILE_KIND.definitions,
  waiting: FILE_KIND.waiting,
  stamped: FILE_KIND.stamped,
  settled: FILE_KIND.stamped,
  extent: FILE_KIND.index,
  removed: FILE_KIND.index,
  ended: FILE_KIND.index,
  unsure: FILE_KIND.index,
};

const TYPE = {
  ...{ tenant: 1, series: 2, refs: 3, intervals: 4, waiting: 16, stamped: 17, settled: 18 },
  ...{ extent: 19, removed: 20, ended: 21, unsure: 22 },
} as const;
/** The types that records have. */
export const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(TYPE));

/** The header of a file of this version. */
export function encodeHeader(header: Omit<SpoolHeader, 'version'>): Buffer {
  const out = new ByteWriter(SPOOL_HEADER_BYTES);
  out.bytes(MAGIC);
  out.u8(SPOOL_VERSION);
  out.u8(header.kind);
  out.u16(0);
  out.bytes(header.clientSession);
  out.f64(header.nextSequence);
  out.f64(header.createdMs);
  out.u32(crc32c(out.view()));
  return out.take();
}

/**
 * Reads the header of the file at `path`. A header whose checksum is wrong is damaged, also if its version seems newer.
 * Errors: `data_loss` (not a header), `failed_precondition` (a newer format).
 */
export function decodeHeader(bytes: Uint8Array, path: string): SpoolHeader {
  const reader = new ByteReader(bytes, 'spool file header');
  if (!equalBytes(reader.bytes(4), MAGIC)) reader.fail('not a spool file');
  if (bytes.length < SPOOL_HEADER_BYTES) reader.fail(`${bytes.length} bytes`);
  const sealed = Buffer.from(bytes.buffer, bytes.byteOffset, SPOOL_HEADER_BYTES);
  if (sealed.readUInt32LE(CRC_AT) !== crc32c(sealed.subarray(0, CRC_AT))) reader.fail('wrong checksum');
  const version = reader.u8();
  if (version > SPOOL_VERSION) {
    throw new TidemarkError(
      'failed_precondition',
      `spool file ${path} has format ${version} (limit: ${SPOOL_VERSION}): start the newer version of this program, which ` +
        'sends its batches, or move the folder of the file away, whose batches are then not sent',
      { path, version, limit: SPOOL_VERSION },
    );
  }
  const kind = reader.u8();
  if (!isFileKind(kind)) return reader.fail(`file kind ${kind}`);
  reader.skip(2);
  const clientSession = Uint8Array.from(reader.bytes(SESSION_BYTES));
  const nextSequence = reader.f64();
  const createdMs = reader.f64();
  if (!Number.isSafeInteger(nextSequence) || nextSequence < 0) reader.fail(`next sequence ${nextSequence}`);
  return { version, kind, clientSession, nextSequence, createdMs };
}

function isFileKind(kind: number): kind is FileKind {
  return Object.values(FILE_KIND).some((one) => one === kind);
}

function isDataFileKind(kind: number): kind is DataFileKind {
  return isFileKind(kind) && kind !== FILE_KIND.index;
}

/** Appends one framed record and returns its size in bytes. */
export function encodeRecord(record: SpoolRecord, out: ByteWriter): number {
  const start = out.length;
  out.u32(0);
  out.u32(0);
  writeBody(record, out);
  const body = out.view().subarray(start + RECORD_PREFIX_BYTES);
  const crc = crc32c(body);
  out.patchU32(start, body.length);
  out.patchU32(start + 4, crc);
  return out.length - start;
}

function writeBody(record: SpoolRecord, out: ByteWriter): void {
  out.u8(TYPE[record.type]);
  switch (record.type) {
    case 'tenant':
      out.text(record.tenant);
      return;
    case 'series':
      out.varint(record.first);
      out.varint(record.series.length);
      for (const { metric, kind, tags } of record.series) {
        out.text(metric);
        out.u8(kind);
        out.varint(tags.length);
        for (const tag of tags) out.text(tag);
      }
      return;
    case 'intervals':
      writeNumbers(record.numbers, out);
      for (const intervalMs of record.intervalsMs) out.varint(intervalMs);
      return;
    case 'refs': {
      const { epoch, partition, firstRef, numbers } = record.range;
      for (const value of [epoch, partition, firstRef]) out.varint(value);
      writeNumbers(numbers, out);
      return;
    }
    case 'waiting': {
      const { number, points, minTimeMs, share } = record.batch;
      out.varint(number);
      out.varint(points);
      out.signedVarint(minTimeMs);
      out.bytes(share);
      return;
    }
    case 'stamped': {
      const { number, points, minTimeMs, sequence, epoch, stampedMs, batch } = record.batch;
      out.varint(number);
      out.varint(points);
      out.signedVarint(minTimeMs);
      out.varint(sequence);
      out.varint(epoch);
      out.signedVarint(stampedMs);
      out.bytes(batch);
      return;
    }
    case 'settled':
      writeNumbers(record.numbers, out);
      return;
    case 'extent': {
      const { file, kind, endBytes, nextSequence, numbers, points } = record.extent;
      out.varint(file);
      out.u8(kind);
      out.varint(endBytes);
      out.varint(nextSequence);
      writeNumbers(numbers, out);
      for (const count of points) out.varint(count);
      return;
    }
    case 'unsure':
      writeNumbers(record.numbers, out);
      for (const count of record.points) out.varint(count);
      return;
    case 'removed':
      writeNumbers(record.files, out);
      return;
    case 'ended':
  }
}

function writeNumbers(numbers: readonly number[], out: ByteWriter): void {
  out.varint(numbers.length);
  let last = 0;
  for (const number of numbers) {
    out.signedVarint(number - last);
    last = number;
  }
}

/**
 * Reads one record from its body (type, then payload), whose checksum the caller has checked. `share` and `batch` are
 * views. Errors: `data_loss`.
 */
export function decodeRecord(body: Uint8Array): SpoolRecord {
  const reader = new ByteReader(body, 'spool record');
  const type = reader.u8();
  switch (type) {
    case TYPE.tenant:
      return { type: 'tenant', tenant: reader.text(MAX_TEXT_BYTES) };
    case TYPE.series: {
      const first = reader.varint();
      const count = countOf(reader, 3);
      return { type: 'series', first, series: Array.from({ length: count }, () => readSeries(reader)) };
    }
    case TYPE.intervals: {
      const numbers = readNumbers(reader);
      return { type: 'intervals', numbers, intervalsMs: numbers.map(() => readInterval(reader)) };
    }
    case TYPE.refs: {
      const epoch = reader.varint();
      const partition = reader.varint();
      if (partition > MAX_PARTITION) reader.fail(`partition ${partition}`);
      const firstRef = reader.varint();
      return { type: 'refs', range: { epoch, partition, firstRef, numbers: readNumbers(reader) } };
    }
    case TYPE.waiting: {
      const number = reader.varint();
      const points = reader.varint();
      const minTimeMs = reader.signedVarint();
      return { type: 'waiting', batch: { number, points, minTimeMs, share: reader.bytes(reader.remaining) } };
    }
    case TYPE.stamped: {
      const number = reader.varint();
      const points = reader.varint();
      const minTimeMs = reader.signedVarint();
      const sequence = reader.varint();
      const epoch = reader.varint();
      const stampedMs = reader.signedVarint();
      const batch = reader.bytes(reader.remaining);
      return { type: 'stamped', batch: { number, points, minTimeMs, sequence, epoch, stampedMs, batch } };
    }
    case TYPE.settled:
      return { type: 'settled', numbers: readNumbers(reader) };
    case TYPE.extent:
      return { type: 'extent', extent: readExtent(reader) };
    case TYPE.removed:
      return { type: 'removed', files: readNumbers(reader) };
    case TYPE.ended:
      return { type: 'ended' };
    case TYPE.unsure: {
      const numbers = readNumbers(reader);
      return { type: 'unsure', numbers, points: numbers.map(() => reader.varint()) };
    }
    default:
      return reader.fail(`record type ${type}`);
  }
}

function readSeries(reader: ByteReader): TableSeries {
  const metric = reader.text(MAX_TEXT_BYTES);
  const kind = reader.u8();
  if (!isKind(kind)) return reader.fail(`kind ${kind}`);
  const count = countOf(reader, 1);
  if (count > MAX_TAGS) reader.fail(`${count} tags`);
  return { metric, kind, tags: Array.from({ length: count }, () => reader.text(MAX_TEXT_BYTES)) };
}

function readExtent(reader: ByteReader): Extent {
  const file = reader.varint();
  const kind = reader.u8();
  if (!isDataFileKind(kind)) return reader.fail(`file kind ${kind}`);
  const endBytes = reader.varint();
  const nextSequence = reader.varint();
  const numbers = readNumbers(reader);
  return { file, kind, endBytes, nextSequence, numbers, points: numbers.map(() => reader.varint()) };
}

function readInterval(reader: ByteReader): number {
  const intervalMs = reader.varint();
  if (intervalMs === 0 || intervalMs > INTERVAL_LIMIT_MS) reader.fail(`an interval of ${intervalMs} ms`);
  return intervalMs;
}

function readNumbers(reader: ByteReader): number[] {
  const count = countOf(reader, 1);
  const numbers = new Array<number>(count);
  let last = 0;
  for (let i = 0; i < count; i++) {
    last += reader.signedVarint();
    if (last < 0 || !Number.isSafeInteger(last)) reader.fail(`number ${last}`);
    numbers[i] = last;
  }
  return numbers;
}

/** A count of things of at least `eachBytes`, before anything is allocated for them. */
function countOf(reader: ByteReader, eachBytes: number): number {
  const count = reader.varint();
  reader.need(count * eachBytes);
  return count;
}

/** True for the frame of a record of settled batches, whose checksum need not be right. */
export function isSettledRecord(frame: Uint8Array): boolean {
  return frame[RECORD_PREFIX_BYTES] === TYPE.settled;
}

/** The record of a frame, or undefined when its checksum or its content is wrong. */
export function checkedRecord(frame: Uint8Array): SpoolRecord | undefined {
  if (frame.length < RECORD_HEADER_BYTES) return undefined;
  const view = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  const body = view.subarray(RECORD_PREFIX_BYTES);
  if (view.readUInt32LE(0) !== body.length || view.readUInt32LE(4) !== crc32c(body)) return undefined;
  return recordOf(body);
}

/** The record of a body whose checksum is right, or undefined when its content is wrong. */
export function recordOf(body: Uint8Array): SpoolRecord | undefined {
  try {
    return decodeRecord(body);
  } catch (error) {
    if (error instanceof TidemarkError) return undefined;
    throw error;
  }
}
