/** The topics of the platform. `points` and `tags` have the same number of partitions; `control` has one. */
export type Topic = 'points' | 'tags' | 'control' | 'windows';

export interface Appended {
  /** Offset of the record; offsets of a partition are dense, from 0. */
  readonly offset: number;
  /** When the log took the record, by the log's own clock, ms since the Unix epoch. */
  readonly appendTimeMs: number;
}

export interface LogRecord extends Appended {
  readonly value: Uint8Array;
}

/**
 * One producer of one partition. It appends with sequences 0, 1, 2 …, one at a time. Repeating the last sequence with
 * the same value is how an unknown outcome is settled: the log stores it once and answers with the offset it has.
 */
export interface LogWriter {
  /**
   * Appends once durable. Errors: `unavailable` or `deadline_exceeded` (outcome unknown: repeat the same sequence),
   * `resource_exhausted` (not stored, the log is full: repeat later), `invalid_argument` (too large),
   * `failed_precondition` (the writer is of no use any more, e.g. it was replaced or a sequence is missing).
   */
  append(sequence: number, value: Uint8Array): Promise<Appended>;
}

export interface ReadOptions {
  /** Stop after this many bytes of values; at least one record comes if there is one. */
  readonly maxBytes: number;
  /** Wait up to this long for a first record; 0 answers at once. */
  readonly waitMs: number;
  /** Ends the wait: the read answers at once, with what is there. */
  readonly signal?: AbortSignal;
}

export interface LogBounds {
  /** Offset of the oldest record still kept. */
  readonly first: number;
  /** Offset that the next record will get. */
  readonly next: number;
  /**
   * Which log these offsets are of, where one can be deleted and another made under its name: another id, another log.
   * Undefined where the log is of one piece with those who read it.
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
   * Records from `from` on, in offset order, dense. Empty when there is none within `waitMs`. Errors: `out_of_range`
   * when `from` was trimmed or lies beyond the end (never a silent reset), `data_loss` when a stored record fails its
   * checksum. The values may be views of a shared buffer: copy what is kept.
   */
  read(topic: Topic, partition: number, from: number, options: ReadOptions): Promise<LogRecord[]>;
  bounds(topic: Topic, partition: number): Promise<LogBounds>;
  /** Lets go of records below `before`; some of them may stay readable for a while. */
  trim(topic: Topic, partition: number, before: number): Promise<void>;
}
