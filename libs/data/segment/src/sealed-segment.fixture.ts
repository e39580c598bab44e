import { ByteReader, crc32c } from '@tidemark/bytes';
import { ID_BYTES } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import { readMetricKey } from './metric-key.ts';
import { FOOTER_BYTES } from './segment-footer.ts';
import { HEAD_BYTES, readU64 } from './segment-head.ts';

const CRC_BYTES = 4;
/** Bytes behind the checksum of the footer. */
const MAGIC_BYTES = 8;

/** A copy of a segment in which all checksums are right, as far as it can be followed: so that changes reach what they protect. */
export function resealed(segment: Uint8Array): Buffer {
  const bytes = Buffer.from(segment);
  if (bytes.length < FOOTER_BYTES) return bytes;
  try {
    sealIndex(bytes);
  } catch (error) {
    if (!isTidemarkError(error, 'data_loss')) throw error;
  }
  const checked = bytes.length - MAGIC_BYTES - CRC_BYTES;
  bytes.writeUInt32LE(crc32c(bytes.subarray(bytes.length - FOOTER_BYTES, checked)), checked);
  return bytes;
}

function sealIndex(bytes: Buffer): void {
  const footer = new ByteReader(bytes, 'footer', bytes.length - FOOTER_BYTES + HEAD_BYTES);
  let blockAt = readU64(footer);
  const topIndexAt = readU64(footer);
  const end = topIndexAt + footer.u32();
  const crcAt = footer.position;
  try {
    const top = readerOf(bytes, topIndexAt, end);
    while (top.remaining > 0) {
      readMetricKey(top);
      top.skip(ID_BYTES);
      const length = top.varint();
      sealBlock(bytes, blockAt, blockAt + length);
      sealAt(bytes, top.position, blockAt, blockAt + length);
      top.skip(CRC_BYTES);
      blockAt += length;
    }
  } finally {
    sealAt(bytes, crcAt, topIndexAt, end);
  }
}

function sealBlock(bytes: Buffer, from: number, to: number): void {
  const block = readerOf(bytes, from, to);
  block.varint();
  while (block.remaining > 0) {
    if (block.u8() !== 0) readMetricKey(block);
    const series = block.varint();
    block.skip(series > 1 ? 2 * ID_BYTES : ID_BYTES);
    if (series > 2) {
      const at = block.varint();
      sealAt(bytes, block.position, at, at + (series - 2) * ID_BYTES);
      block.skip(CRC_BYTES);
    }
    let end = 0;
    for (let pages = block.varint(); pages > 0; pages--) end = sealPage(bytes, block, end);
  }
}

/** Seals a page, the times records before it, and what the index says of it. Returns the end of the page. */
function sealPage(bytes: Buffer, block: ByteReader, before: number): number {
  const at = before + block.signedVarint();
  const end = at + block.varint();
  const crcAt = block.position;
  block.skip(CRC_BYTES);
  for (let i = 0; i < 4; i++) block.varint();
  for (let records = block.varint(); records > 0; records--) {
    const recordAt = at - block.signedVarint();
    const recordEnd = recordAt + block.varint();
    sealAt(bytes, recordEnd - CRC_BYTES, recordAt, recordEnd - CRC_BYTES);
  }
  sealAt(bytes, end - CRC_BYTES, at, end - CRC_BYTES);
  if (end - CRC_BYTES >= 0 && end <= bytes.length) bytes.copy(bytes, crcAt, end - CRC_BYTES, end);
  return end;
}

/** Writes the checksum of [from, to) at `at`, if all of it is in the segment. */
function sealAt(bytes: Buffer, at: number, from: number, to: number): void {
  if (from < 0 || from > to || to > bytes.length || at < 0 || at + CRC_BYTES > bytes.length) return;
  bytes.writeUInt32LE(crc32c(bytes.subarray(from, to)), at);
}

function readerOf(bytes: Buffer, from: number, to: number): ByteReader {
  return new ByteReader(bytes, 'index', Math.min(from, bytes.length), Math.min(to, bytes.length));
}
