import { ByteReader, crc32c } from '@tidemark/bytes';
import type { StatedSource } from '@tidemark/model';

/** First bytes of a record of topic `tags`: "TMTG". */
export const TAGS_MAGIC = 0x47544d54;
export const TAGS_VERSION = 2;
/** Bytes of magic, version and checksum. */
export const HEADER_BYTES = 9;
const CHECKSUM_AT = 5;

/**
 * Max bytes per record. A writer does not exceed it, and a reader refuses a larger record. Kafka's default limit is 1
 * MiB.
 */
export const MAX_TAGS_RECORD_BYTES = 1_000_000;
/** Max UTF-8 bytes of a tenant, metric or tag in a record. The limits of the intake are lower. */
export const MAX_TEXT_BYTES = 8192;
/** Max tags per series in a record. The limit of the intake is lower. */
export const MAX_TAGS = 1024;
/** Sources of statements, by their number in a record. */
export const SOURCES: readonly StatedSource[] = ['protocol', 'user', 'implied'];
/** The last day that a JavaScript Date can represent. */
export const MAX_DAY = 100_000_000;

/** Writes the header into the first nine bytes of a complete record. */
export function sealRecord(record: Buffer): Buffer {
  record.writeUInt32LE(TAGS_MAGIC, 0);
  record.writeUInt8(TAGS_VERSION, 4);
  record.writeUInt32LE(crc32c(record.subarray(HEADER_BYTES)), CHECKSUM_AT);
  return record;
}

/** Checks size, magic, version and checksum. Returns a reader that is positioned after the header. */
export function openRecord(record: Uint8Array): ByteReader {
  const reader = new ByteReader(record, 'tags record');
  if (record.length > MAX_TAGS_RECORD_BYTES) {
    reader.fail(`record of ${record.length} bytes (limit: ${MAX_TAGS_RECORD_BYTES})`);
  }
  if (reader.u32() !== TAGS_MAGIC) reader.fail('this is not a tags record: wrong magic');
  const version = reader.u8();
  if (version !== TAGS_VERSION) reader.fail(`format version ${version}, this program reads ${TAGS_VERSION}`);
  const expected = reader.u32();
  const actual = crc32c(record.subarray(HEADER_BYTES));
  if (actual !== expected) reader.fail(`wrong checksum: stored ${expected}, computed ${actual}`);
  return reader;
}
