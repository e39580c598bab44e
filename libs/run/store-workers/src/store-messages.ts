import type { KafkaLogOptions } from '@tidemark/kafka-log';
import type { ConsumerProblem } from '@tidemark/log-consumer';
import type { LoopDelay, MemoryUse } from '@tidemark/node-runtime';
import type { PointStoreLimits } from '@tidemark/point-store';
import type { ErrorCode, ErrorDetail, Topic } from '@tidemark/ports';
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

/** An error in a form that a message can carry. */
export interface CarriedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail: ErrorDetail;
}

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
  | { readonly type: 'failed'; readonly id: number; readonly error: CarriedError }
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
