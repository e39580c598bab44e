import { crc32c } from '@tidemark/bytes';

/** Manifests and write-ahead files are blocks of this size; no record's part crosses the end of one. */
export const BLOCK_BYTES = 32_768;
/** Checksum (u32), length (u16), type (u8). */
export const HEAD_BYTES = 7;
/** A block that was allocated and not written. */
export const UNWRITTEN = 0;
/** Types of parts: a whole record, its first, middle and last part. */
export const WHOLE = 1;
export const FIRST = 2;
export const MIDDLE = 3;
export const LAST_TYPE = 4;
/** The same of a file that was used before. No file of these databases is. */
export const LAST_RECYCLED_TYPE = 8;
const PART_MISSING = 'a part of a record is missing';
const MASK_DELTA = 0xa282ead8;

/** A part of a record, as its head has it. */
export interface Part {
  readonly at: number;
  readonly type: number;
  readonly length: number;
  /** Where it ends by its length, and where its block does. */
  readonly end: number;
  readonly blockEnd: number;
}

/** The part whose head is at `at`, or at the start of the next block where the rest of this one is too short for a head. */
export function partFrom(bytes: Buffer, at: number): Part | undefined {
  const leftInBlock = BLOCK_BYTES - (at % BLOCK_BYTES);
  if (leftInBlock < HEAD_BYTES) return partFrom(bytes, at + leftInBlock);
  if (at + HEAD_BYTES > bytes.length) return undefined;
  const length = bytes.readUInt16LE(at + 4);
  return { at, type: bytes[at + 6], length, end: at + HEAD_BYTES + length, blockEnd: at + leftInBlock };
}

/** Whether the checksum of the part at `at` is that of its type and its bytes up to `end`. */
export function isValidPart(bytes: Buffer, at: number, end: number): boolean {
  return maskOf(crc32c(bytes.subarray(at + 6, end))) === bytes.readUInt32LE(at);
}

/** The form in which files have checksums, so that one over other checksums differs from them. */
export function maskOf(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

/** A record of a file, from `at` to `end`, or the place where the file can't be read further. */
export type FoundRecord =
  | { readonly at: number; readonly end: number; readonly bytes: Buffer }
  | { readonly at: number; readonly what: string };

/**
 * The records of a file up to the first damage, which comes last. A last record that a crash has cut is not damage. Blocks
 * of zeros between records are passed, and within a record they are damage, as RocksDB has it.
 */
export function* recordsOf(bytes: Buffer): Generator<FoundRecord> {
  let parts: Buffer[] = [];
  let begun = 0;
  let next = 0;
  for (let part = partFrom(bytes, next); part !== undefined; part = partFrom(bytes, next)) {
    const { at, type, length, end, blockEnd } = part;
    const isBegun = parts.length > 0;
    if (type === UNWRITTEN && length === 0) {
      if (isBegun) {
        if (!isUnwritten(bytes.subarray(at))) yield { at: begun, what: PART_MISSING };
        return;
      }
      next = blockEnd;
      continue;
    }
    // A crash cuts the last record, in the last block.
    if (end > bytes.length && blockEnd >= bytes.length) return;
    const fault = partFault(type, isBegun, end > blockEnd || !isValidPart(bytes, at, end));
    if (fault !== undefined) {
      yield { at: isBegun ? begun : at, what: fault };
      return;
    }
    if (!isBegun) begun = at;
    parts.push(bytes.subarray(at + HEAD_BYTES, end));
    if (type === WHOLE || type === LAST_TYPE) {
      yield { at: begun, end, bytes: parts.length === 1 ? parts[0] : Buffer.concat(parts) };
      parts = [];
    }
    next = end;
  }
}

function partFault(type: number, isBegun: boolean, isWrong: boolean): string | undefined {
  if (type > LAST_TYPE) return `a part of type ${type}`;
  if (isWrong) return 'its checksum is wrong';
  return isBegun === (type === MIDDLE || type === LAST_TYPE) ? undefined : PART_MISSING;
}

/** After a power cut a file may have its size without its last blocks. */
function isUnwritten(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}
