import { ByteReader, ByteWriter } from '@tidemark/bytes';
import type { PartitionTracker } from '@tidemark/lanes';
import { packTrackerHead } from '@tidemark/lanes';
import { TidemarkError } from '@tidemark/ports';
import { TagsCoverage } from './tags-coverage.ts';

const VERSION = 1;

/** What a partition keeps beside its tables: one entry, rewritten with every commit. */
export interface PartitionMeta {
  readonly nextOffset: number;
  readonly trackerHead: Buffer;
  readonly coverage: TagsCoverage;
  /** Number of the commit: part of the chunk keys. */
  readonly sequence: number;
  /** Highest bucket that has a chunk; -1 for none. */
  readonly newestBucket: number;
  /** Buckets up to this one are merged and hashed. */
  readonly closedBucket: number;
  readonly points: number;
  readonly latePoints: number;
  readonly duplicatePoints: number;
  /** Points whose series' definition was in a skipped record. */
  readonly undefinedPoints: number;
}

export function packMeta(meta: Omit<PartitionMeta, 'trackerHead'>, tracker: PartitionTracker): Buffer {
  const out = new ByteWriter(256);
  out.u8(VERSION);
  out.sizedBytes(packTrackerHead(tracker));
  for (const key of COUNTS) out.signedVarint(meta[key]);
  out.varint(meta.coverage.entries.length);
  for (const { tagsOffset, watermarkMs } of meta.coverage.entries) {
    out.varint(tagsOffset);
    out.f64(watermarkMs);
  }
  return out.take();
}

const COUNTS = [
  'nextOffset',
  'sequence',
  'newestBucket',
  'closedBucket',
  'points',
  'latePoints',
  'duplicatePoints',
  'undefinedPoints',
] as const;

/** `failed_precondition` when the data is of another format than this program's. */
export function unpackMeta(bytes: Uint8Array): PartitionMeta {
  const reader = new ByteReader(bytes, 'point store meta');
  const version = reader.u8();
  if (version !== VERSION) {
    throw new TidemarkError(
      'failed_precondition',
      `the point store's data has format ${version}, this program reads ${VERSION}`,
      { version },
    );
  }
  const trackerHead = Buffer.from(reader.sizedBytes(1024));
  const [nextOffset, sequence, newestBucket, closedBucket, points, latePoints, duplicatePoints, undefinedPoints] =
    COUNTS.map(() => reader.signedVarint());
  const coverage = new TagsCoverage();
  const entries = reader.varint();
  for (let i = 0; i < entries; i++) coverage.add(reader.varint(), reader.f64());
  return {
    nextOffset,
    trackerHead,
    coverage,
    sequence,
    newestBucket,
    closedBucket,
    points,
    latePoints,
    duplicatePoints,
    undefinedPoints,
  };
}
