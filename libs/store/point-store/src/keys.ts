import { keyBuffer } from '@tidemark/bytes';

/**
 * Prefixes of keys of a partition's key-value store, in addition to those of `@tidemark/point-log`: one byte for the
 * kind of entry, then big-endian numbers so that keys sort as the numbers do (docs/formats/point-store.md).
 */
export const PREFIX = {
  meta: 0x01,
  bucketHash: 0x08,
  activity: 0x09,
  chunk: 0x10,
} as const;

export const META_KEY = Uint8Array.of(PREFIX.meta);

/** Number that is added to a bucket's number, which is negative before 1970. */
const BUCKET_BIAS = 2 ** 47;
/** A number below every bucket of a valid time. */
export const NO_BUCKET = -BUCKET_BIAS;
/** Maximum chunks of one series in one batch and bucket. */
export const PARTS = 4096;

/** [prefix, bucket]; bucket in bucket widths since the epoch. Of chunks: the start of all keys of the bucket. */
export function bucketKey(
  prefix: typeof PREFIX.chunk | typeof PREFIX.bucketHash | typeof PREFIX.activity,
  bucket: number,
): Buffer {
  const key = Buffer.allocUnsafe(7);
  key[0] = prefix;
  key.writeUIntBE(bucket + BUCKET_BIAS, 1, 6);
  return key;
}

export function bucketOfKey(key: Uint8Array): number {
  return keyBuffer(key, 7).readUIntBE(1, 6) - BUCKET_BIAS;
}

/** The start of the keys of all chunks of a bucket's metric. */
export function metricKey(bucket: number, metric: number): Buffer {
  const key = Buffer.allocUnsafe(11);
  bucketKey(PREFIX.chunk, bucket).copy(key);
  key.writeUInt32BE(metric, 7);
  return key;
}

export const CHUNK_KEY_BYTES = 21;
/** Bound of sequences: no chunk has this sequence. */
export const MAX_CHUNK_SEQUENCE = 2 ** 48 - 1;

/** Writes the key [chunk, bucket, metric, series, sequence and part of six bytes] into `key` at `at`. */
export function writeChunkKey(
  key: Buffer,
  at: number,
  bucket: number,
  metric: number,
  series: number,
  sequence: number,
): void {
  key[at] = PREFIX.chunk;
  key.writeUIntBE(bucket + BUCKET_BIAS, at + 1, 6);
  key.writeUInt32BE(metric, at + 7);
  key.writeUInt32BE(series, at + 11);
  key.writeUIntBE(sequence, at + 15, 6);
}

export function chunkKey(bucket: number, metric: number, series: number, sequence: number): Buffer {
  const key = Buffer.allocUnsafe(CHUNK_KEY_BYTES);
  writeChunkKey(key, 0, bucket, metric, series, sequence);
  return key;
}

export function seriesOfChunkKey(key: Uint8Array): number {
  return keyBuffer(key, CHUNK_KEY_BYTES).readUInt32BE(11);
}
