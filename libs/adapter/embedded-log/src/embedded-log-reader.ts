import {
  type Clock,
  type Disk,
  type LogBounds,
  type LogRecord,
  type ReadOptions,
  TidemarkError,
  type Topic,
} from '@tidemark/ports';
import { DEFAULT_EMBEDDED_LOG_LIMITS, type EmbeddedLogLimits } from './embedded-log-limits.ts';
import { PartitionFiles } from './partition-files.ts';
import { type PartitionCounts, PartitionSet } from './partition-set.ts';
import { readFromPartition } from './read-partition.ts';
import { WaitingReads } from './waiting-reads.ts';

export interface EmbeddedLogReaderOptions {
  /** The folder of the log; the reader writes nothing. */
  readonly disk: Disk;
  readonly clock: Clock;
  readonly partitions: PartitionCounts;
  readonly limits?: Partial<EmbeddedLogLimits>;
}

/** Opens a reader of a log that another thread of this process writes. */
export async function openEmbeddedLogReader(options: EmbeddedLogReaderOptions): Promise<EmbeddedLogReader> {
  return new EmbeddedLogReader(options);
}

/**
 * Reads the files of a log up to the offset that its writer has reported as durable (`advance`). It implements the
 * reading half of the log port. A partition that was not announced yet has no records: reads of it wait.
 */
export class EmbeddedLogReader {
  readonly #partitions: PartitionSet<ReaderPartition>;

  /** Use `openEmbeddedLogReader`. */
  constructor({ disk, clock, partitions, limits }: EmbeddedLogReaderOptions) {
    const bounds = { ...DEFAULT_EMBEDDED_LOG_LIMITS, ...limits };
    this.#partitions = new PartitionSet(
      partitions,
      (topic, partition) => new ReaderPartition(disk, clock, topic, partition, bounds),
    );
  }

  /**
   * Accepts the progress that `EmbeddedLog.onAppend` reports, in its order. Without `segment` each read lists the
   * folder.
   */
  advance(topic: Topic, partition: number, next: number, first: number, segment?: number, id?: string): void {
    this.#partitions.get(topic, partition).advance(next, first, segment, id);
  }

  async read(topic: Topic, partition: number, from: number, options: ReadOptions): Promise<LogRecord[]> {
    return this.#partitions.get(topic, partition).read(from, options);
  }

  async bounds(topic: Topic, partition: number): Promise<LogBounds> {
    return this.#partitions.get(topic, partition).bounds();
  }

  async close(): Promise<void> {
    for (const partition of this.#partitions.all()) await partition.close();
  }
}

class ReaderPartition {
  readonly topic: Topic;
  readonly partition: number;
  readonly #files: PartitionFiles;
  readonly #waiting: WaitingReads;
  #announced = false;
  #closed = false;
  #stale = true;
  #id: string | undefined;
  #refreshing: Promise<void> | undefined;
  first = 0;
  next = 0;

  constructor(disk: Disk, clock: Clock, topic: Topic, partition: number, limits: EmbeddedLogLimits) {
    this.topic = topic;
    this.partition = partition;
    this.#files = new PartitionFiles(disk, topic, partition, limits);
    this.#waiting = new WaitingReads(clock, limits.waitingReads);
  }

  advance(next: number, first: number, segment: number | undefined, id: string | undefined): void {
    if (segment === undefined || !this.#files.has(segment) || first > this.first) this.#stale = true;
    this.#id = id;
    const grew = !this.#announced || next > this.next;
    this.#announced = true;
    this.first = first;
    this.next = next;
    if (grew) this.#waiting.wake();
  }

  async read(from: number, options: ReadOptions): Promise<LogRecord[]> {
    this.checkOpen();
    if (!this.#announced) {
      if (options.waitMs <= 0 || options.signal?.aborted) return [];
      await this.#waiting.wait(options.waitMs, options.signal);
      this.checkOpen();
      if (!this.#announced) return [];
      return this.read(from, { ...options, waitMs: 0 });
    }
    return readFromPartition(this, this.#waiting, from, options, async (next) => {
      await this.#refresh();
      return this.#files.read(from, next, options);
    });
  }

  bounds(): LogBounds {
    this.checkOpen();
    if (!this.#announced) {
      throw new TidemarkError('unavailable', `${this.topic} partition ${this.partition} is not open yet; retry later`, {
        topic: this.topic,
        partition: this.partition,
      });
    }
    const { first, next } = this;
    return this.#id === undefined ? { first, next } : { first, next, id: this.#id };
  }

  async #refresh(): Promise<void> {
    while (this.#stale || this.#refreshing !== undefined) {
      if (this.#refreshing === undefined) {
        this.#stale = false;
        this.#refreshing = this.#files.refresh().finally(() => {
          this.#refreshing = undefined;
        });
        this.#refreshing.catch(() => {
          this.#stale = true;
        });
      }
      await this.#refreshing;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.wake();
    await this.#files.close();
  }

  /** Throws when the reader was closed. */
  checkOpen(): void {
    if (this.#closed) throw new TidemarkError('unavailable', 'the log reader is closed', { topic: this.topic });
  }
}
