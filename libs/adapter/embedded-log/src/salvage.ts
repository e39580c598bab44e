import { CRC_TABLE, crc32c } from '@tidemark/bytes';
import type { DiskFile } from '@tidemark/ports';
import { readAt } from './file-window.ts';
import { RECORD_HEADER_BYTES, RECORD_MAGIC, readRecordHeader } from './record-format.ts';

const READ_BYTES = 4 * 2 ** 20;

/** What a segment's head says about its records. */
export interface SegmentStart {
  readonly salt: number;
  /** Position of the first record. */
  readonly headerBytes: number;
}

/**
 * Finds the salt of a segment whose head is damaged: it is the start value of every record header's checksum, so each
 * whole record gives it. Two records of different offsets must agree, because any bytes give some salt. Undefined when
 * the segment has no such records.
 */
export async function salvageStart(file: DiskFile, base: number): Promise<SegmentStart | undefined> {
  const seen = new Map<number, Candidate>();
  for await (const candidate of candidates(file, base)) {
    const before = seen.get(candidate.salt);
    if (before === undefined) seen.set(candidate.salt, candidate);
    else if (before.offset < candidate.offset) return { salt: before.salt, headerBytes: before.position };
  }
  return undefined;
}

interface Candidate {
  readonly salt: number;
  readonly position: number;
  readonly offset: number;
}

/** Places that look like a record of the segment, and whose value passes its own checksum. */
async function* candidates(file: DiskFile, base: number): AsyncGenerator<Candidate> {
  const fileBytes = await file.sizeBytes();
  for (let from = 0; from + RECORD_HEADER_BYTES <= fileBytes; from += READ_BYTES - RECORD_HEADER_BYTES) {
    const bytes = await readAt(file, from, READ_BYTES);
    for (let at = bytes.indexOf(RECORD_MAGIC); at >= 0; at = bytes.indexOf(RECORD_MAGIC, at + 1)) {
      if (at + RECORD_HEADER_BYTES > bytes.length) break;
      const salt = startValue(bytes.subarray(at + 8, at + RECORD_HEADER_BYTES), bytes.readUInt32LE(at + 4));
      const header = readRecordHeader(bytes, at, salt);
      const position = from + at;
      if (header === undefined || header.offset < base || position + header.valueBytes > fileBytes) continue;
      const value = await readAt(file, position + RECORD_HEADER_BYTES, header.valueBytes);
      if (value.length !== header.valueBytes || crc32c(value) !== header.valueCrc) continue;
      yield { salt, position, offset: header.offset };
    }
  }
}

/** The start value from which CRC-32C over `bytes` gives `crc`: each step of the checksum can be undone. */
function startValue(bytes: Uint8Array, crc: number): number {
  let register = ~crc >>> 0;
  for (let at = bytes.length - 1; at >= 0; at--) {
    const index = INDEX_OF_TOP[register >>> 24];
    register = (((register ^ CRC_TABLE[index]) << 8) | (index ^ bytes[at])) >>> 0;
  }
  return ~register >>> 0;
}

/** The index of the table's entry with a given highest byte; there is one for each. */
const INDEX_OF_TOP = new Uint8Array(256);
for (const [index, value] of CRC_TABLE.entries()) INDEX_OF_TOP[value >>> 24] = index;
