import { crc32c } from '@tidemark/bytes';

/** `TREC` in the file: the search for the next record after a damaged one finds it by this magic number. */
export const RECORD_MAGIC = Buffer.from('TREC');
const MAGIC_U32 = RECORD_MAGIC.readUInt32LE(0);

export const RECORD_HEADER_BYTES = 64;
export const PRODUCER_BYTES = 16;
const TWO_POW_32 = 2 ** 32;

/** The header before a value; docs/formats/log.md has the byte diagram. */
export interface RecordHeader {
  readonly valueCrc: number;
  readonly valueBytes: number;
  /** The number of records of the same group before this one. */
  readonly place: number;
  readonly offset: number;
  readonly appendTimeMs: number;
  readonly producer: Uint8Array;
  readonly sequence: number;
  /** Random number of the opening of the log that wrote the record. */
  readonly generation: number;
}

/** Writes a header at `at`. `salt` is the segment's. */
export function writeRecordHeader(target: Buffer, at: number, header: RecordHeader, salt: number): void {
  target.writeUInt32LE(MAGIC_U32, at);
  target.writeUInt32LE(header.valueCrc, at + 8);
  target.writeUInt32LE(header.valueBytes, at + 12);
  target.writeUInt32LE(header.place, at + 16);
  target.writeUInt32LE(header.generation, at + 20);
  writeU64(target, at + 24, header.offset);
  target.writeDoubleLE(header.appendTimeMs, at + 32);
  target.set(header.producer, at + 40);
  writeU64(target, at + 56, header.sequence);
  target.writeUInt32LE(crc32c(target.subarray(at + 8, at + RECORD_HEADER_BYTES), salt), at + 4);
}

/** The header at `at`, or undefined when the bytes are not a header, are damaged, or are of another segment. */
export function readRecordHeader(source: Buffer, at: number, salt: number): RecordHeader | undefined {
  if (at + RECORD_HEADER_BYTES > source.length || source.readUInt32LE(at) !== MAGIC_U32) return undefined;
  if (source.readUInt32LE(at + 4) !== crc32c(source.subarray(at + 8, at + RECORD_HEADER_BYTES), salt)) return undefined;
  return {
    valueCrc: source.readUInt32LE(at + 8),
    valueBytes: source.readUInt32LE(at + 12),
    place: source.readUInt32LE(at + 16),
    offset: readU64(source, at + 24),
    appendTimeMs: source.readDoubleLE(at + 32),
    producer: source.subarray(at + 40, at + 40 + PRODUCER_BYTES),
    sequence: readU64(source, at + 56),
    generation: source.readUInt32LE(at + 20),
  };
}

/** Writes an integer of at most 53 bits as 64 bits, little-endian. */
export function writeU64(target: Buffer, at: number, value: number): void {
  target.writeUInt32LE(value % TWO_POW_32, at);
  target.writeUInt32LE(Math.floor(value / TWO_POW_32), at + 4);
}

export function readU64(source: Buffer, at: number): number {
  return source.readUInt32LE(at) + source.readUInt32LE(at + 4) * TWO_POW_32;
}
