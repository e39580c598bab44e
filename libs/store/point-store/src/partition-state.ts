import type { IdHash } from '@tidemark/bytes';
import { PointLogState } from '@tidemark/point-log';
import type { KeyValue } from '@tidemark/ports';
import { Head } from './head.ts';
import { NO_BUCKET } from './keys.ts';
import type { PointStoreLimits } from './point-store-limits.ts';
import { RecentChunks } from './recent-chunks.ts';
import { SeriesActivity } from './series-activity.ts';
import { SeriesSets } from './series-sets.ts';
import { SharedLock } from './shared-lock.ts';
import { TagsCoverage } from './tags-coverage.ts';

/** The logical content of a bucket when it closed. */
export interface BucketHash {
  readonly bucket: number;
  /** End of the records that the hash covers. */
  readonly offset: number;
  readonly hash: string;
}

/** Counts of the applied records and points; functions of the log. */
export interface PartitionCounts {
  points: number;
  latePoints: number;
  duplicatePoints: number;
  /** Points whose series' definition was in a skipped record. */
  undefinedPoints: number;
}

/**
 * The state of one partition in addition to the state of its log. Applying, committing and closing buckets change its
 * parts, and queries read them.
 */
export class PartitionStore extends PointLogState {
  readonly keyValue: KeyValue;
  readonly limits: PointStoreLimits;
  readonly head = new Head();
  readonly counts: PartitionCounts = { points: 0, latePoints: 0, duplicatePoints: 0, undefinedPoints: 0 };
  /** Hashes of closed buckets, ascending by bucket. */
  readonly hashes: BucketHash[] = [];
  readonly recent: RecentChunks;
  readonly activity = new SeriesActivity();
  readonly seriesSets: SeriesSets;
  /** Lock that readers hold while they collect chunks, and writers while chunks replace rows or other chunks. */
  readonly lock = new SharedLock();
  coverage = new TagsCoverage();
  /** Number of the last durable commit. */
  sequence = 0;
  /** Buckets that have chunks on disk. */
  readonly buckets = new Set<number>();
  /** All buckets up to this one are closed, with or without chunks. */
  closedBucket = NO_BUCKET;
  /** The points of all buckets up to this one were deleted, or will be soon: their retention has ended. */
  expiredBucket = NO_BUCKET;

  constructor(partition: number, keyValue: KeyValue, limits: PointStoreLimits, idHash?: IdHash) {
    super(partition, idHash);
    this.keyValue = keyValue;
    this.limits = limits;
    this.recent = new RecentChunks(limits.recentBytes);
    this.seriesSets = new SeriesSets(limits.seriesSetsBytes);
  }
}
