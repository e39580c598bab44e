import type { KafkaLogOptions } from '@tidemark/kafka-log';
import type { ConsumerProblem } from '@tidemark/log-consumer';
import type { LoopDelay, MemoryUse } from '@tidemark/node-runtime';
import type { PointStoreLimits } from '@tidemark/point-store';
import type { CarriedError, ErrorCode, Topic } from '@tidemark/ports';
import type { CheckpointFile } from '@tidemark/rocksdb';
import type { StoreKind } from '@tidemark/store-rpc';

/** The log that the stores read; plain data, which can be passed to a thread. */
export type StoreLog =
  | { readonly kind: 'embedded'; readonly folder: string; readonly partitions: number }
  | { readonly kind: 'kafka'; readonly options: KafkaLogOptions };

/** Options of a store thread. */
export interface StoreWorkerOptions {
  /** Folder of the databases. */
  readonly folder: string;
  readonly log: StoreLog;
  readonly kinds: readonly StoreKind[];
  /** The partitions that this thread owns. */
  readonly owned: readonly number[];
  readonly limits: PointStoreLimits;
  readonly latenessMs: number;
  /** Snapshots are made of the databases at intervals: the log is trimmed below the newest one only. */
  readonly hasSnapshots: boolean;
  /** A database that the log alone can't replace is restored from a snapshot. */
  readonly canRestore: boolean;
  /** How many files one database may have open; undefined: that of RocksDB's adapter. Not optional, so that none drops it. */
  readonly openFiles: number | undefined;
}

/** The worker data of a store thread. */
export interface StoreWorkerStart {
  readonly options: StoreWorkerOptions;
  /** Folder of the compile cache, if the process has one; threads don't inherit it. */
  readonly compileCache: string | undefined;
}

/** From the main thread to a store thread. */
export type ToStore =
  | {
      readonly type: 'progress';
      readonly topic: Topic;
      readonly partition: number;
      readonly next: number;
      readonly first: number;
      readonly segment: number;
      /** Id of the partition's log. */
      readonly id: string;
    }
  | {
      readonly type: 'skip';
      readonly topic: string;
      readonly partition: number;
      readonly offset: number;
      readonly reason: string;
    }
  | StoreCall
  /** The log has every offset that a store has committed: each store reads on. */
  | { readonly type: 'start' }
  /** Requests the positions of all stores of a kind; the reply is a `PositionsReply`. */
  | { readonly type: 'positions'; readonly id: number; readonly kind: StoreKind }
  | CheckpointCall
  | SnapshotNote
  | DamageNote
  /** Reply to `restore`. */
  | { readonly type: 'restored'; readonly id: number; readonly restored: RestoreOutcome }
  /** The caller no longer waits for the reply. */
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'stop' };

/** Calls a method about one partition, in the bytes of the contract. */
export interface StoreCall {
  readonly type: 'call';
  readonly id: number;
  readonly kind: StoreKind;
  readonly method: string;
  readonly partition: number;
  readonly request: Uint8Array;
}

/** Requests a copy of a database in the new folder `to`, which links its tables. The reply is `checkpointed`. */
export interface CheckpointCall {
  readonly type: 'checkpoint';
  readonly id: number;
  readonly kind: StoreKind;
  readonly partition: number;
  readonly to: string;
}

/** A snapshot of a database was made that has all records below `offset`. */
export interface SnapshotNote {
  readonly type: 'snapshot';
  /** `StoreCheckpoint.instance`: another database that has taken its place meanwhile may have less. */
  readonly instance: string;
  readonly kind: StoreKind;
  readonly partition: number;
  readonly offset: number;
}

/** Name in the details of an error that a store makes no copy of its database in its state, which it reports itself. */
export const NOT_COPIED = 'isNotCopied';

/** Damage that was found in a copy of a database. */
export interface DamageNote {
  readonly type: 'damage';
  /** `StoreCheckpoint.instance`. */
  readonly instance: string;
  readonly kind: StoreKind;
  readonly partition: number;
  readonly message: string;
}

/** A copy of a database at a moment, and what it has of the log. */
export interface StoreCheckpoint {
  /** Files of the copy; it opens as a database. */
  readonly files: readonly CheckpointFile[];
  /** Version of the format of the database. */
  readonly format: number;
  /** All records of the log below this offset are in it; it may have some after it, and knows which. */
  readonly offset: number;
  /** Whether the log may be trimmed by a segment or more when there is a snapshot of it. */
  readonly freesLog: boolean;
  /** Id of the log that was read. */
  readonly logId: string;
  /** Of stores of points: the log was complete through this time at `offset`, or through a later one, ms. */
  readonly watermarkMs: number | undefined;
  /** Names this opening of the database: tables of one name have the same content in all copies of one opening. */
  readonly instance: string;
}

/** A database that is asked for: that of a store which has none, or a damaged one. */
export interface RestoreRequest {
  readonly kind: StoreKind;
  readonly partition: number;
  /** Name of its folder, which does not exist, below the folder of the databases. */
  readonly to: string;
  /** The snapshot must be of the log with this id; undefined where it is not known. */
  readonly logId: string | undefined;
  /** The snapshot must have the records below this offset, at which the log begins. */
  readonly fromOffset: number;
  /** The snapshot must have no record from this offset on, at which the log ends. */
  readonly toOffset: number;
  /** Wall clock when the end of the log was read, ms: a snapshot that was made later may be above it. */
  readonly askedMs: number;
  /** The snapshot must be of a database of this format. */
  readonly format: number;
  /** Snapshots that are not taken. */
  readonly without: readonly PassedOver[];
}

/** A snapshot that is not restored. */
export interface PassedOver {
  readonly id: string;
  /** Continues a text that begins with the id. */
  readonly why: string;
  /** Whether it may be restored after a restart, or by another version of the program. */
  readonly mayHelp: boolean;
}

/** A snapshot that was restored. */
export interface RestoredSnapshot {
  readonly id: string;
  readonly offset: number;
  /** When it was made, ms since the Unix epoch. */
  readonly createdMs: number;
}

/**
 * What became of a restore. `none`: there is no snapshot that the log continues; the text says what was found instead, of which
 * something `mayHelp` later. Those that are `damaged` must not be tried again.
 */
export type RestoreOutcome =
  | { readonly state: 'restored'; readonly snapshot: RestoredSnapshot; readonly damaged: readonly PassedOver[] }
  | {
      readonly state: 'none';
      readonly found: string;
      readonly mayHelp: boolean;
      readonly damaged: readonly PassedOver[];
    }
  | { readonly state: 'failed'; readonly error: CarriedError; readonly damaged?: readonly PassedOver[] };

/** Why a store cannot continue; it retries. */
export interface StoreProblem {
  readonly code: ErrorCode;
  readonly message: string;
  /** The operation that fails: reading the log, or writing the database. */
  readonly during: ConsumerProblem['during'];
}

/** From a store thread to the main thread. */
export type FromStore =
  | { readonly type: 'ready' }
  /** The delay of the thread and its memory, each second from `ready` on. */
  | { readonly type: 'thread'; readonly delay: LoopDelay; readonly memory: readonly MemoryUse[] }
  | { readonly type: 'reply'; readonly id: number; readonly reply: Uint8Array }
  | { readonly type: 'checkpointed'; readonly id: number; readonly checkpoint: StoreCheckpoint }
  | { readonly type: 'failed'; readonly id: number; readonly error: CarriedError }
  /** An open database is damaged, and nothing replaces it now; without a text it was replaced. */
  | {
      readonly type: 'loss';
      readonly topic: Topic;
      readonly partition: number;
      readonly message: string | undefined;
    }
  /** A read failed because of a bug; its caller got `internal`. */
  | { readonly type: 'bug'; readonly read: string; readonly stack: string }
  /** The partition's store has applied every record that the log held at a moment after the start. */
  | { readonly type: 'caughtUp'; readonly topic: Topic; readonly partition: number }
  /** A store was opened: all records below `offset` of the log `logId` are committed. Sent before `ready`. */
  | {
      readonly type: 'opened';
      readonly topic: Topic;
      readonly partition: number;
      readonly offset: number;
      readonly logId: string | undefined;
    }
  /** The log may be trimmed below `offset`: what is below it is in tables of the database. */
  | { readonly type: 'trimmable'; readonly topic: Topic; readonly partition: number; readonly offset: number }
  /** Asks for a database from a snapshot; the reply is `restored`. */
  | { readonly type: 'restore'; readonly id: number; readonly request: RestoreRequest }
  /** A store has its database from a snapshot, and reads the log from its offset on. */
  | {
      readonly type: 'fromSnapshot';
      readonly topic: Topic;
      readonly partition: number;
      readonly snapshot: RestoredSnapshot;
      readonly reason: string;
    }
  /** The write-ahead log of a database was damaged: its store reads again from `offset` on. */
  | {
      readonly type: 'rereading';
      readonly topic: Topic;
      readonly partition: number;
      readonly offset: number;
      readonly reason: string;
    }
  /** A damaged database was moved to the folder `aside`; its store reads the log from the beginning. */
  | {
      readonly type: 'rebuilding';
      readonly topic: Topic;
      readonly partition: number;
      readonly reason: string;
      readonly aside: string;
    }
  | {
      readonly type: 'halted';
      readonly topic: Topic;
      readonly partition: number;
      readonly offset: number;
      readonly reason: string;
    }
  /** A halted partition reads again. */
  | { readonly type: 'resumed'; readonly topic: Topic; readonly partition: number }
  | {
      readonly type: 'problem';
      readonly topic: Topic;
      readonly partition: number;
      /** Undefined when the problem has ended. */
      readonly problem: StoreProblem | undefined;
    };
