import { ByteReader, ByteWriter, crc32c } from '@tidemark/bytes';
import { ID_BYTES } from '@tidemark/model';
import { assert, TidemarkError } from '@tidemark/ports';
import { type Definitions, readDefinitions, writeDefinitions } from './definitions.ts';
import { MAX_RECORD_BYTES } from './record-limits.ts';
import { readSpan, type Span, writeSpan } from './span.ts';

/** Record types of the `points` topic. The numbers are part of the format (docs/formats/block.md). */
export const RECORD = { block: 1, mark: 2, open: 3, close: 4, fence: 5 } as const;
export type RecordType = (typeof RECORD)[keyof typeof RECORD];

/** Lane number of a fence that covers every lane of its session. */
export const ALL_LANES = 0xffffffff;

const MAGIC = 0x424d4454; // "TDMB", little-endian
/** 2: each record has its era. 3: definitions state reporting intervals. */
const VERSION = 4;
const HEADER_BYTES = 112;
const CHECKSUM_BYTES = 4;
/** Bytes of a record without a body. */
export const MIN_RECORD_BYTES = HEADER_BYTES + CHECKSUM_BYTES;

/** Fields of every record of a lane. Times are ms since the Unix epoch; offsets are log offsets. */
export interface RecordHeader {
  readonly type: RecordType;
  readonly partition: number;
  /** 16 bytes: one run of one intake. */
  readonly session: Uint8Array;
  /** The lane's number within its session; a fence may name `ALL_LANES`. */
  readonly lane: number;
  /** Increases when the lane starts new dictionaries. */
  readonly epoch: number;
  /** Dense per lane, from 0. In a fence: the offset of its decision in `control`. */
  readonly sequence: number;
  /** All data that the lane accepted before this time is in this record or in earlier ones. */
  readonly markMs: number;
  /** All tags that the block's points need lie below this offset of the `tags` partition. */
  readonly tagsOffset: number;
  /** Offset of the epoch's first block, or -1 when it is this one. */
  readonly keyframeOffset: number;
  /** Era of the lane's session: the offset in `control` of the decision that began it. `FIRST_ERA` in a fence. */
  readonly era: number;
  /** Time at which the era began; 0 of the first. */
  readonly eraStartMs: number;
}

/** A block: header and content. Spans are parsed; the share of a span is a view of the record. */
export interface BlockRecord extends RecordHeader {
  /** Times of the block's points; without points, of those in a later block for which its definitions are. */
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  readonly points: number;
  readonly definitions: readonly Definitions[];
  readonly spans: readonly Span[];
}

/** Buffer that all records reuse. A new buffer for each would cost as much memory again as the records. */
const out = new ByteWriter(64 * 1024);

/** Encodes one record, in memory of its own. The body is empty for all types except a block. */
export function encodeRecord(record: BlockRecord): Buffer {
  assert(record.session.length === ID_BYTES, 'a session id has 16 bytes');
  out.reset();
  out.u32(MAGIC);
  out.u8(VERSION);
  out.u8(record.type);
  out.u16(record.partition);
  out.bytes(record.session);
  out.u32(record.lane);
  out.u32(record.epoch);
  out.f64(record.sequence);
  out.f64(record.markMs);
  out.f64(record.tagsOffset);
  out.f64(record.keyframeOffset);
  out.f64(record.era);
  out.f64(record.eraStartMs);
  out.f64(record.minTimeMs);
  out.f64(record.maxTimeMs);
  out.u32(record.points);
  out.u32(record.definitions.length);
  out.u32(record.spans.length);
  out.u32(0);
  assert(out.length === HEADER_BYTES, 'header size');
  for (const definitions of record.definitions) writeDefinitions(definitions, out);
  for (const span of record.spans) writeSpan(span, out);
  out.patchU32(HEADER_BYTES - 4, out.length - HEADER_BYTES);
  out.u32(crc32c(out.view()));
  return out.takeApart();
}

/** Encodes a record without a body: `open`, `mark`, `close` or `fence`. */
export function encodeBareRecord(header: RecordHeader): Buffer {
  assert(header.type !== RECORD.block, 'a block has a body');
  return encodeRecord({ ...header, minTimeMs: 0, maxTimeMs: 0, points: 0, definitions: [], spans: [] });
}

/**
 * Decodes one record. Throws `data_loss` when the checksum, the version or a count is wrong; the message names the
 * wrong value. The shares of the result are views and not decoded.
 */
export function decodeRecord(bytes: Uint8Array): BlockRecord {
  if (bytes.length < MIN_RECORD_BYTES || bytes.length > MAX_RECORD_BYTES) {
    throw new TidemarkError(
      'data_loss',
      `record of ${bytes.length} bytes (limit: ${MIN_RECORD_BYTES} to ${MAX_RECORD_BYTES})`,
    );
  }
  const reader = new ByteReader(bytes, 'points record');
  if (reader.u32() !== MAGIC) reader.fail('this is not a points record: wrong magic');
  const version = reader.u8();
  if (version !== VERSION) reader.fail(`format version ${version}, this program reads ${VERSION}`);
  const end = bytes.length - CHECKSUM_BYTES;
  const stored = new ByteReader(bytes, 'points record', end).u32();
  const actual = crc32c(bytes.subarray(0, end));
  if (stored !== actual) reader.fail(`wrong checksum: stored ${stored.toString(16)}, computed ${actual.toString(16)}`);
  const type = reader.u8();
  if (!isRecordType(type)) return reader.fail(`unknown record type ${type}`);
  const header = {
    type,
    partition: reader.u16(),
    session: reader.bytes(ID_BYTES),
    lane: reader.u32(),
    epoch: reader.u32(),
    sequence: integer(reader),
    markMs: integer(reader),
    tagsOffset: integer(reader),
    keyframeOffset: integer(reader),
    era: integer(reader),
    eraStartMs: integer(reader),
    minTimeMs: integer(reader),
    maxTimeMs: integer(reader),
    points: reader.u32(),
  };
  if (header.sequence < 0) reader.fail(`negative sequence ${header.sequence}`);
  const definitionCount = reader.u32();
  const spanCount = reader.u32();
  const bodyBytes = reader.u32();
  if (bodyBytes !== end - HEADER_BYTES) reader.fail(`body size is ${bodyBytes}, expected ${end - HEADER_BYTES}`);
  if (definitionCount + spanCount > bodyBytes)
    reader.fail(`${definitionCount + spanCount} entries do not fit in ${bodyBytes} bytes`);
  const body = new ByteReader(bytes, 'points record', HEADER_BYTES, end);
  const definitions: Definitions[] = [];
  for (let i = 0; i < definitionCount; i++) definitions.push(readDefinitions(body));
  const spans: Span[] = [];
  for (let i = 0; i < spanCount; i++) spans.push(readSpan(body));
  if (body.remaining > 0) body.fail(`${body.remaining} unexpected bytes at the end`);
  return { ...header, definitions, spans };
}

function isRecordType(value: number): value is RecordType {
  return value >= RECORD.block && value <= RECORD.fence;
}

function integer(reader: ByteReader): number {
  const value = reader.f64();
  if (!Number.isSafeInteger(value)) reader.fail(`${value} is not a whole number`);
  return value;
}
