import { ByteReader, crc32c } from '@tidemark/bytes';

/** The first bytes of a record of topic `tags`: "TMTG". */
export const TAGS_MAGIC = 0x47544d54;
export const TAGS_VERSION = 1;
/** Magic, version, checksum. */
export const HEADER_BYTES = 9;
const CHECKSUM_AT = 5;

/** Largest record; a writer refuses to go beyond it, a reader refuses to look at it. Kafka's default limit is 1 MiB. */
export const MAX_TAGS_RECORD_BYTES = 1_000_000;
/** Largest UTF-8 size of a tenant, metric or tag in a record; intake's own limits are lower. */
export const MAX_TEXT_BYTES = 4096;
/** Most tags of a series in a record; intake's own limit is lower. */
export const MAX_TAGS = 1024;
/** The last day that a JavaScript Date can name. */
export const MAX_DAY = 100_000_000;

/** Writes the header into the first nine bytes of a whole record. */
export function sealRecord(record: Buffer): Buffer {
  record.writeUInt32LE(TAGS_MAGIC, 0);
  record.writeUInt8(TAGS_VERSION, 4);
  record.writeUInt32LE(crc32c(record.subarray(HEADER_BYTES)), CHECKSUM_AT);
  return record;
}

/** Checks size, magic, version and checksum; the reader stands behind the header. */
export function openRecord(record: Uint8Array): ByteReader {
  const reader = new ByteReader(record, 'tags record');
  if (record.length > MAX_TAGS_RECORD_BYTES) {
    reader.fail(`${record.length} bytes, limit ${MAX_TAGS_RECORD_BYTES}`);
  }
  if (reader.u32() !== TAGS_MAGIC) reader.fail('not a tags record');
  const version = reader.u8();
  if (version !== TAGS_VERSION) reader.fail(`version ${version}, this program knows ${TAGS_VERSION}`);
  const expected = reader.u32();
  const actual = crc32c(record.subarray(HEADER_BYTES));
  if (actual !== expected) reader.fail(`checksum ${actual}, ${expected} expected`);
  return reader;
}
