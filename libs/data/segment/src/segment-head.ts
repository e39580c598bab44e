import { type ByteReader, ByteWriter, crc32c } from '@tidemark/bytes';
import { assert } from '@tidemark/ports';
import { LOG_ID_LIMIT, SEGMENT_MAGIC, SEGMENT_VERSION, type SegmentHead } from './segment-format.ts';

/** Bytes of the description of what a segment is of: in the header and in the footer. */
export const HEAD_BYTES = 3 * 4 + 2 * 8 + 1 + LOG_ID_LIMIT;
/** Bytes of the header: magic, version, description, checksum. */
export const HEADER_BYTES = SEGMENT_MAGIC.length + 4 + HEAD_BYTES + 4;

const DAY_BIAS = 2 ** 31;
const HIGH = 2 ** 32;
const LOG_ID = /^[!-~]{1,64}$/;

export function isLogId(text: string): boolean {
  return LOG_ID.test(text);
}

/** Writes an integer of up to 53 bits in eight bytes. */
export function writeU64(value: number, out: ByteWriter): void {
  assert(Number.isSafeInteger(value) && value >= 0, `${value} is an integer of 53 bits`);
  out.u32(value % HIGH);
  out.u32(Math.floor(value / HIGH));
}

export function readU64(reader: ByteReader): number {
  const low = reader.u32();
  const value = reader.u32() * HIGH + low;
  if (!Number.isSafeInteger(value)) reader.fail('a number beyond 53 bits');
  return value;
}

export function writeHead(head: SegmentHead, out: ByteWriter): void {
  const { partition, day, part, fromOffset, toOffset, logId } = head;
  assert(isLogId(logId), `${logId} is the id of a log`);
  assert(fromOffset <= toOffset, 'offsets ascend');
  out.u32(partition);
  out.u32(day + DAY_BIAS);
  out.u32(part);
  writeU64(fromOffset, out);
  writeU64(toOffset, out);
  out.u8(logId.length);
  out.bytes(Buffer.from(logId.padEnd(LOG_ID_LIMIT, '\0'), 'latin1'));
}

export function readHead(reader: ByteReader): SegmentHead {
  const partition = reader.u32();
  const day = reader.u32() - DAY_BIAS;
  const part = reader.u32();
  const fromOffset = readU64(reader);
  const toOffset = readU64(reader);
  if (fromOffset > toOffset) reader.fail(`offsets ${fromOffset} to ${toOffset}`);
  const size = reader.u8();
  const padded = reader.bytes(LOG_ID_LIMIT).toString('latin1');
  const logId = padded.slice(0, size);
  if (size > LOG_ID_LIMIT || !isLogId(logId)) reader.fail('no id of a log');
  return { partition, day, part, fromOffset, toOffset, logId };
}

/** The first bytes of a segment. Readers of ranges don't need them: the footer has the same description. */
export function encodeHeader(head: SegmentHead): Buffer {
  const out = new ByteWriter(HEADER_BYTES);
  out.bytes(SEGMENT_MAGIC);
  out.u32(SEGMENT_VERSION);
  writeHead(head, out);
  out.u32(crc32c(out.view()));
  return out.take();
}
