import type { KafkaLogOptions } from '@tidemark/kafka-log';
import type { ConsumerProblem } from '@tidemark/log-consumer';
import type { PointStoreLimits } from '@tidemark/point-store';
import type { ErrorCode, ErrorDetail, Topic } from '@tidemark/ports';
import type { StoreKind } from '@tidemark/store-rpc';

/** Where the stores read the log; plain data, so that it can be handed to a thread. */
export type StoreLog =
  | { readonly kind: 'embedded'; readonly folder: string; readonly partitions: number }
  | { readonly kind: 'kafka'; readonly options: KafkaLogOptions };

/** What a store thread is started with. */
export interface StoreThreadOptions {
  /** Folder of the databases. */
  readonly folder: string;
  readonly log: StoreLog;
  readonly kinds: readonly StoreKind[];
  /** The partitions that this thread owns. */
  readonly owned: readonly number[];
  readonly limits: PointStoreLimits;
  readonly latenessMs: number;
}

/** What a store thread gets from the one that starts it. */
export interface StoreThreadStart {
  readonly options: StoreThreadOptions;
  /** Folder of what was compiled before, if the process keeps one; threads don't inherit it. */
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
    }
  | {
      readonly type: 'skip';
      readonly topic: string;
      readonly partition: number;
      readonly offset: number;
      readonly reason: string;
    }
  | StoreCall
  /** Asks how far all stores of a kind are; the reply is a `PositionsReply`. */
  | { readonly type: 'positions'; readonly id: number; readonly kind: StoreKind }
  /** Nobody waits for the call any more. */
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

/** What went wrong, as a message can carry it. */
export interface CarriedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail: ErrorDetail;
}

/** Why a store does not go on, and tries again. */
export interface StoreProblem {
  readonly code: ErrorCode;
  readonly message: string;
  /** What does not work: to read the log, or to write its database. */
  readonly during: ConsumerProblem['during'];
}

/** From a store thread to the main thread. */
export type FromStore =
  | { readonly type: 'ready' }
  | { readonly type: 'reply'; readonly id: number; readonly reply: Uint8Array }
  | { readonly type: 'failed'; readonly id: number; readonly error: CarriedError }
  /** A read met a mistake of the program; whoever asked was told `internal`. */
  | { readonly type: 'bug'; readonly read: string; readonly stack: string }
  /** The partition's store has applied what the log held when it looked. */
  | { readonly type: 'caughtUp'; readonly topic: Topic; readonly partition: number }
  | { readonly type: 'committed'; readonly topic: Topic; readonly partition: number; readonly offset: number }
  | {
      readonly type: 'halted';
      readonly topic: Topic;
      readonly partition: number;
      readonly offset: number;
      readonly reason: string;
    }
  /** A partition that was halted reads on. */
  | { readonly type: 'resumed'; readonly topic: Topic; readonly partition: number }
  | {
      readonly type: 'problem';
      readonly topic: Topic;
      readonly partition: number;
      /** Undefined when it is over. */
      readonly problem: StoreProblem | undefined;
    };
