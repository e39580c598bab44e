import type { ReusedMemory } from './reused-memory.ts';

/** The topics of the platform. `points` and `tags` have the same number of partitions; `control` has one. */
export type Topic = 'points' | 'tags' | 'control' | 'windows';

export interface Appended {
  /** Offset of the record; offsets of a partition are dense, from 0. */
  readonly offset: number;
  /** When the log appended the record, by the log's own clock, ms since the Unix epoch. */
  readonly appendTimeMs: number;
}

export interface LogRecord extends Appended {
  readonly value: Uint8Array;
  /**
   * A random number of the run of the log's writer that appended the record, where the log keeps one. Two records at one
   * offset with different generations are of different logs.
   */
  readonly generation?: number;
}

/**
 * One producer of one partition. It appends with sequences 0, 1, 2 …, one at a time. A repeat of the last sequence with
 * the same value settles an unknown outcome: the log stores the value once and returns its offset.
 */
export interface LogWriter {
  /**
   * Appends once durable. Errors: `unavailable` or `deadline_exceeded` (outcome unknown: repeat the same sequence),
   * `resource_exhausted` (not stored, repeat later: the log is full, or `busy`, which its detail says then), `invalid_argument` (too large),
   * `failed_precondition` (the writer cannot be used again, e.g. it was replaced or a sequence is missing).
   */
  append(sequence: number, value: Uint8Array): Promise<Appended>;
}

export interface ReadOptions {
  /** Maximum bytes of values; the first record is returned even if it is larger. */
  readonly maxBytes: number;
  /** Maximum wait for a first record, ms; 0 answers at once. */
  readonly waitMs: number;
  /** Ends the wait when it aborts: the read answers at once, with the records that exist. */
  readonly signal?: AbortSignal;
  /** Where the log may put the values, for a reader that keeps none of them beyond its next read. */
  readonly memory?: ReusedMemory;
}

export interface LogBounds {
  /** Offset of the oldest record still kept. */
  readonly first: number;
  /** Offset that the next record will get. */
  readonly next: number;
  /**
   * The id of the log that these offsets are of. It changes when a log is deleted and another created under its name.
   * Undefined where the log has none, or where a reader has not received it yet.
   */
  readonly id?: string;
}

/**
 * The log: durable, partitioned, ordered. Adapters: the embedded one and Kafka; both pass one conformance suite.
 */
export interface Log {
  /** A new producer with an identity of its own. */
  writer(topic: Topic, partition: number): Promise<LogWriter>;
  /**
   * Records from `from` on, in offset order, dense. Empty when there is none within `waitMs`. Errors: `out_of_range` when
   * `from` was trimmed or is beyond the end (never a silent reset), `data_loss` when a stored record fails its checksum;
   * its detail may have `resumeAt`, the next offset that may be readable. The values may be views of a shared buffer: copy
   * those that are kept.
   */
  read(topic: Topic, partition: number, from: number, options: ReadOptions): Promise<LogRecord[]>;
  bounds(topic: Topic, partition: number): Promise<LogBounds>;
  /** Deletes records below `before`; some of them may stay readable for a while. */
  trim(topic: Topic, partition: number, before: number): Promise<void>;
}
