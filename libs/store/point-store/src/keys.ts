import { keyBuffer } from '@tidemark/bytes';

/**
 * Prefixes of keys of a partition's key-value store, in addition to those of `@tidemark/point-log`: one byte for the
 * kind of entry, then big-endian numbers so that keys sort as the numbers do (docs/formats/point-store.md).
 */
export const PREFIX = {
  meta: 0x01,
  bucketHash: 0x08,
  activity: 0x09,
  closing: 0x0a,
  days: 0x0b,
  page: 0x10,
  pageIndex: 0x11,
  times: 0x12,
} as const;

export const META_KEY = Uint8Array.of(PREFIX.meta);
/** Of the entry that says which buckets are closed, and which are being closed. */
export const CLOSING_KEY = Uint8Array.of(PREFIX.closing);

/** Number that is added to a bucket's number, which is negative before 1970. */
const BUCKET_BIAS = 2 ** 47;
/** A number below every bucket of a valid time. */
export const NO_BUCKET = -BUCKET_BIAS;
/** Pages of one dealt page and commit at most. */
export const PARTS = 4096;

type BucketPrefix = (typeof PREFIX)['page' | 'pageIndex' | 'times' | 'bucketHash' | 'activity'];
/** Prefixes of keys that have a deal behind the bucket. */
export type DealPrefix = (typeof PREFIX)['page' | 'pageIndex' | 'times'];

/** [prefix, bucket]; bucket in bucket widths since the epoch. Of pages and times: the start of all keys of the bucket. */
export function bucketKey(prefix: BucketPrefix, bucket: number): Buffer {
  const key = Buffer.allocUnsafe(7);
  key[0] = prefix;
  key.writeUIntBE(bucket + BUCKET_BIAS, 1, 6);
  return key;
}

export function bucketOfKey(key: Uint8Array): number {
  return keyBuffer(key, 7).readUIntBE(1, 6) - BUCKET_BIAS;
}

/** The pages of a metric in one deal of a bucket: `family` is the metric, or stands for the pages that metrics share. */
export interface PageFamily {
  readonly bucket: number;
  readonly deal: number;
  readonly family: number;
}

/** The start of the keys of a family's pages, or of its index. */
export function familyKey(
  prefix: typeof PREFIX.page | typeof PREFIX.pageIndex,
  { bucket, deal, family }: PageFamily,
): Buffer {
  const key = Buffer.allocUnsafe(17);
  bucketKey(prefix, bucket).copy(key);
  key.writeUIntBE(deal, 7, 6);
  key.writeUInt32BE(family, 13);
  return key;
}

/** Of a page: its number in the deal, and its version, the commit × `PARTS` + the part. */
export function pageKey(family: PageFamily, number: number, version: number): Buffer {
  const key = Buffer.allocUnsafe(27);
  familyKey(PREFIX.page, family).copy(key);
  key.writeUInt32BE(number, 17);
  key.writeUIntBE(version, 21, 6);
  return key;
}

/** The start of the keys of all versions of a page. */
export function versionsKey(family: PageFamily, number: number): Buffer {
  return pageKey(family, number, 0).subarray(0, 21);
}

/** Of the series that a metric has in a page: `family` is the metric, also where it shares the page. */
export function indexKey(family: PageFamily, number: number): Buffer {
  const key = Buffer.allocUnsafe(21);
  familyKey(PREFIX.pageIndex, family).copy(key);
  key.writeUInt32BE(number, 17);
  return key;
}

/** The start of the keys of a deal's pages, of its index, or of its times records. */
export function dealKey(prefix: DealPrefix, bucket: number, deal: number): Buffer {
  const key = Buffer.allocUnsafe(13);
  bucketKey(prefix, bucket).copy(key);
  key.writeUIntBE(deal, 7, 6);
  return key;
}

/** Of a times record: its number in the deal, which begins as the versions of the pages of its commit do. */
export function timesKey(bucket: number, deal: number, number: number): Buffer {
  const key = Buffer.allocUnsafe(19);
  dealKey(PREFIX.times, bucket, deal).copy(key);
  key.writeUIntBE(number, 13, 6);
  return key;
}

export function numberOfTimesKey(key: Uint8Array): number {
  return keyBuffer(key, 19).readUIntBE(13, 6);
}

export function dealOfKey(key: Uint8Array): number {
  return keyBuffer(key, 13).readUIntBE(7, 6);
}

export function familyOfKey(key: Uint8Array): number {
  return keyBuffer(key, 21).readUInt32BE(13);
}

export function numberOfKey(key: Uint8Array): number {
  return keyBuffer(key, 21).readUInt32BE(17);
}

/** The number of the commit that a version of a page is of. */
export function sequenceOfKey(key: Uint8Array): number {
  return Math.floor(keyBuffer(key, 27).readUIntBE(21, 6) / PARTS);
}
