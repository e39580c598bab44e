import { ByteReader, ByteWriter } from '@tidemark/bytes';
import { packTrackerHead } from '@tidemark/point-log';
import { TidemarkError } from '@tidemark/ports';
import type { PartitionStore } from './partition-state.ts';
import { TagsCoverage } from './tags-coverage.ts';

/** 8: buckets close after the commit of their cut. 9: times records. 10: days close. */
export const POINT_STORE_VERSION = 10;
const TRACKER_HEAD_BYTES = 1024;
/** Min bytes of an entry of the coverage: a varint and a float64. */
const COVERAGE_BYTES = 9;

const NUMBERS = [
  'partition',
  'bucketMs',
  'nextOffset',
  'sequence',
  'expiredBucket',
  'points',
  'latePoints',
  'duplicatePoints',
  'undefinedPoints',
] as const;

/** The stored state of a partition in addition to its tables: one entry that every commit rewrites. */
export type PartitionMeta = { readonly [K in (typeof NUMBERS)[number]]: number } & {
  readonly trackerHead: Buffer;
  readonly coverage: TagsCoverage;
};

/** Encodes the meta as of the commit `sequence`, with all buckets up to `expiredBucket` expired. */
export function packMeta(
  store: PartitionStore,
  { sequence, expiredBucket }: Pick<PartitionStore, 'sequence' | 'expiredBucket'>,
): Buffer {
  const { partition, counts, coverage, nextOffset, limits, tracker } = store;
  const numbers = {
    ...counts,
    partition,
    bucketMs: limits.bucketMs,
    nextOffset,
    sequence,
    expiredBucket,
  };
  const out = new ByteWriter(256);
  out.u8(POINT_STORE_VERSION);
  out.sizedBytes(packTrackerHead(tracker));
  for (const key of NUMBERS) out.signedVarint(numbers[key]);
  out.varint(coverage.entries.length);
  for (const { tagsOffset, watermarkMs } of coverage.entries) {
    out.varint(tagsOffset);
    out.f64(watermarkMs);
  }
  return out.take();
}

/** Decodes the meta. `failed_precondition` when the data is of another format than this program's. */
export function unpackMeta(bytes: Uint8Array): PartitionMeta {
  const reader = new ByteReader(bytes, 'point store meta');
  const version = reader.u8();
  if (version !== POINT_STORE_VERSION) {
    throw new TidemarkError(
      'failed_precondition',
      `the point store's data has format ${version}, this program reads ${POINT_STORE_VERSION}`,
      { version },
    );
  }
  const trackerHead = Buffer.from(reader.sizedBytes(TRACKER_HEAD_BYTES));
  const [
    partition,
    bucketMs,
    nextOffset,
    sequence,
    expiredBucket,
    points,
    latePoints,
    duplicatePoints,
    undefinedPoints,
  ] = NUMBERS.map(() => reader.signedVarint());
  const count = reader.varint();
  reader.need(count * COVERAGE_BYTES);
  const entries = Array.from({ length: count }, () => ({ tagsOffset: reader.varint(), watermarkMs: reader.f64() }));
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes after the end`);
  return {
    partition,
    bucketMs,
    nextOffset,
    sequence,
    expiredBucket,
    points,
    latePoints,
    duplicatePoints,
    undefinedPoints,
    trackerHead,
    coverage: new TagsCoverage(entries),
  };
}
