import type { DayPlace } from '@tidemark/archive';
import type { EncodedCopy } from '@tidemark/control-copy';
import type { ObjectPlace } from '@tidemark/object-storage';
import type { PointStoreLimits } from '@tidemark/point-store';
import type { CarriedError } from '@tidemark/ports';
import type { Checkpoint, CollectOptions, SnapshotFacts, SnapshotPlace, TableDigest } from '@tidemark/snapshot';
import type { RestoreOutcome, RestoreRequest } from '@tidemark/store-workers';

/** Name in the details of an error that a table of the database is damaged, and not what the object store has. */
export const DATABASE_DAMAGED = 'isDatabaseDamaged';

/** The worker data of a thread that makes snapshots. */
export interface SnapshotThreadStart {
  readonly place: ObjectPlace;
  /** Folder of the data; paths of checkpoints are below it. */
  readonly folder: string;
  /** The process, for operators. */
  readonly user: string;
  /** What the threads before this one have remembered. */
  readonly digests: readonly TableDigest[];
  /** Folder of the compile cache, if the process has one; threads don't inherit it. */
  readonly compileCache: string | undefined;
}

/** Which snapshots of a partition are kept: the newest `keep`, and those that are younger than `keepMs`. */
export type Retention = Pick<CollectOptions, 'keep' | 'keepMs'>;

/** What a snapshot is made of. */
export interface SnapshotTask {
  readonly of: SnapshotPlace;
  readonly checkpoint: Omit<Checkpoint, 'disk' | 'verifyTables'>;
  /** The snapshot whose files are reused; undefined for the newest one. */
  readonly base: string | undefined;
  readonly facts: SnapshotFacts;
  /** Snapshots beyond it are removed afterwards. */
  readonly retention: Retention;
}

/** A snapshot that was made. */
export interface MadeSnapshot {
  readonly id: string;
  readonly createdMs: number;
  readonly uploadedBytes: number;
  readonly reusedBytes: number;
  /** Why older snapshots were not removed, or not their files; undefined when they were. */
  readonly retentionError: CarriedError | undefined;
  /** Keys of damaged objects of earlier snapshots, which this one has again. */
  readonly damaged: readonly string[];
}

/** Which generations of days are archived, from the copy of a point store's database. */
export interface ArchiveTask {
  readonly partition: number;
  /** Folder of the copy, below that of the data. */
  readonly copy: string;
  /** Folder that is made for the names of series, and removed. */
  readonly namesFolder: string;
  readonly places: readonly DayPlace[];
  readonly limits: PointStoreLimits;
}

/** Which archived days of a partition are deleted: those before `firstKept`, days since 1970. */
export interface ExpireTask {
  readonly partition: number;
  readonly firstKept: number;
}

/** A generation of a day that was archived. */
export interface ArchivedFacts {
  readonly day: number;
  /** End of its records. */
  readonly toOffset: number;
  readonly points: number;
  readonly series: number;
  /** Of segments and names. */
  readonly bytes: number;
}

export type ToSnapshotThread =
  | { readonly type: 'make'; readonly id: number; readonly task: SnapshotTask }
  | { readonly type: 'restore'; readonly id: number; readonly request: RestoreRequest }
  | { readonly type: 'archive'; readonly id: number; readonly task: ArchiveTask }
  | { readonly type: 'expire'; readonly id: number; readonly task: ExpireTask }
  /** Puts a copy of `control`. */
  | { readonly type: 'control'; readonly id: number; readonly copy: EncodedCopy }
  /** Asks whether the object store answers. */
  | { readonly type: 'check'; readonly id: number }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'stop' };

export type FromSnapshotThread =
  /** The reply to `stop`; then the thread ends. */
  | { readonly type: 'stopped'; readonly digests: readonly TableDigest[] }
  | { readonly type: 'progress'; readonly id: number; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly type: 'made'; readonly id: number; readonly made: MadeSnapshot }
  | { readonly type: 'restored'; readonly id: number; readonly outcome: RestoreOutcome }
  /** A part of an archive is done. */
  | { readonly type: 'archived'; readonly id: number; readonly archived: ArchivedFacts }
  /** The reply to `expire`. */
  | { readonly type: 'expired'; readonly id: number; readonly days: readonly number[] }
  /** The reply to `archive`, `control` and `check`. */
  | { readonly type: 'done'; readonly id: number }
  | { readonly type: 'failed'; readonly id: number; readonly error: CarriedError };
