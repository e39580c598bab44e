import type { IdHash } from '@tidemark/bytes';
import { PointLogState } from '@tidemark/point-log';
import type { KeyValue } from '@tidemark/ports';
import { DayMarks } from '../days/day-marks.ts';
import { PageFlusher } from '../head/flush-pages.ts';
import { PageHead } from '../head/page-head.ts';
import { NO_BUCKET } from '../keys.ts';
import { PageCache } from '../pages/page-cache.ts';
import { PageCodec } from '../pages/page-codec.ts';
import { RecentPages } from '../pages/recent-pages.ts';
import { SeriesActivity } from '../pages/series-activity.ts';
import { storedPage } from '../pages/stored-page.ts';
import type { PointStoreLimits } from '../point-store-limits.ts';
import { SeriesSets } from '../series/series-sets.ts';
import type { BucketClosing, BucketHash } from './bucket-closing.ts';
import { SharedLock } from './shared-lock.ts';
import { TagsCoverage } from './tags-coverage.ts';

/** One part in so many of the bytes for pages in RAM is for pages that queries have read from disk. */
const CACHE_PART = 4;

/** Counts of the applied records and points; functions of the log. */
export interface PartitionCounts {
  points: number;
  latePoints: number;
  duplicatePoints: number;
  /** Points whose series' definition was in a skipped record. */
  undefinedPoints: number;
}

export interface PartitionStoreOptions {
  readonly partition: number;
  /** The store of this partition, which contains nothing else. */
  readonly keyValue: KeyValue;
  readonly limits: PointStoreLimits;
  /** Hash of the table of series, with a random key. Tests leave it out. */
  readonly idHash?: IdHash;
  /** What the thread writes and reads pages with. Tests leave it out. */
  readonly codec?: PageCodec;
}

/**
 * The state of one partition in addition to the state of its log. Applying, committing and closing buckets change its
 * parts, and queries read them.
 */
export class PartitionStore extends PointLogState {
  readonly keyValue: KeyValue;
  readonly limits: PointStoreLimits;
  readonly codec: PageCodec;
  readonly flusher: PageFlusher;
  readonly head: PageHead;
  readonly counts: PartitionCounts = { points: 0, latePoints: 0, duplicatePoints: 0, undefinedPoints: 0 };
  /** Hashes of closed buckets, ascending by bucket, without those of `closing`. */
  readonly hashes: BucketHash[] = [];
  /** Buckets whose stored hashes the next commit deletes: an era has opened them again, and they may expire before they close. */
  readonly reopened = new Set<number>();
  readonly recent: RecentPages;
  /** Pages of other buckets that queries have read. */
  readonly cache: PageCache;
  readonly activity = new SeriesActivity();
  readonly seriesSets: SeriesSets;
  /** Lock that readers hold while they collect pages, and writers while pages replace the head or other pages. */
  readonly lock = new SharedLock();
  coverage = new TagsCoverage();
  /** Number of the last durable commit. */
  sequence = 0;
  /** Buckets that have pages on disk. */
  readonly buckets = new Set<number>();
  /** All buckets up to this one are closed, with or without pages. */
  closedBucket = NO_BUCKET;
  /** What the last cut has marked to be closed, until that has ended. */
  closing: BucketClosing | undefined;
  /** The days that are closed. */
  days = new DayMarks();
  /** The points of all buckets up to this one were deleted, or will be soon: their retention has ended. */
  expiredBucket = NO_BUCKET;

  constructor({ partition, keyValue, limits, idHash, codec = new PageCodec() }: PartitionStoreOptions) {
    super(partition, idHash);
    this.keyValue = keyValue;
    this.limits = limits;
    this.codec = codec;
    this.head = new PageHead(this.table, limits.bucketMs, this.codec.kernel);
    this.flusher = new PageFlusher(this.codec, this.table);
    const cacheBytes = limits.recentBytes / CACHE_PART;
    this.recent = new RecentPages(limits.recentBytes - cacheBytes, codec.pageBudget);
    this.cache = new PageCache(
      keyValue,
      (place, bytes, times) => storedPage(this, place, bytes, times),
      cacheBytes,
      codec.pageBudget,
    );
    this.seriesSets = new SeriesSets(limits.seriesSetsBytes);
  }
}
