import { PartitionTracker } from '@tidemark/lanes';
import type { KeyValue } from '@tidemark/ports';
import { Head } from './head.ts';
import { NO_BUCKET } from './keys.ts';
import { LaneDictionaries } from './lane-dictionaries.ts';
import type { PointStoreLimits } from './point-store-limits.ts';
import { RecentChunks } from './recent-chunks.ts';
import { SeriesSets } from './series-sets.ts';
import { SeriesTable } from './series-table.ts';
import { SharedLock } from './shared-lock.ts';
import { TagsCoverage } from './tags-coverage.ts';

/** A record that was passed. */
export interface MarkedGap {
  readonly offset: number;
  readonly reason: string;
}

/** The logical content of a bucket when it closed. */
export interface BucketHash {
  readonly bucket: number;
  /** All records below it count. */
  readonly offset: number;
  readonly hash: string;
}

/** Counts of what was applied; functions of the log. */
export interface PartitionCounts {
  points: number;
  latePoints: number;
  duplicatePoints: number;
  /** Points whose series' definition was in a skipped record. */
  undefinedPoints: number;
}

/** How much of the append-only tables is on disk. */
export interface SavedTables {
  readonly series: number;
  readonly metrics: number;
}

/** All that one partition holds; its parts are changed by applying, committing and closing buckets, and read by queries. */
export class PartitionStore {
  readonly partition: number;
  readonly keyValue: KeyValue;
  readonly limits: PointStoreLimits;
  readonly table = new SeriesTable();
  readonly head = new Head();
  readonly dictionaries = new LaneDictionaries();
  readonly counts: PartitionCounts = { points: 0, latePoints: 0, duplicatePoints: 0, undefinedPoints: 0 };
  readonly gaps: MarkedGap[] = [];
  /** Ascending by bucket. */
  readonly hashes: BucketHash[] = [];
  readonly recent: RecentChunks;
  readonly seriesSets: SeriesSets;
  /** Readers hold it while they collect chunks; writers while chunks take the place of rows or of other chunks. */
  readonly lock = new SharedLock();
  tracker = new PartitionTracker();
  coverage = new TagsCoverage();
  nextOffset = 0;
  committedOffset = 0;
  /** Number of the last commit that is on disk. */
  sequence = 0;
  /** Buckets that have chunks on disk. */
  readonly buckets = new Set<number>();
  /** All buckets up to this one are closed, whether they had chunks or not. */
  closedBucket = NO_BUCKET;
  savedTables: SavedTables = { series: 0, metrics: 0 };
  /** Keys of the dictionary entries on disk, by lane, so that they can go when their epoch is over. */
  readonly savedDictionaries = new Map<string, Uint8Array[]>();

  constructor(partition: number, keyValue: KeyValue, limits: PointStoreLimits) {
    this.partition = partition;
    this.keyValue = keyValue;
    this.limits = limits;
    this.recent = new RecentChunks(limits.recentBytes);
    this.seriesSets = new SeriesSets(limits.seriesSetsBytes);
  }
}
