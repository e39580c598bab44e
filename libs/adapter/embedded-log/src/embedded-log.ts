import {
  type Clock,
  type Disk,
  type DiskLock,
  isTidemarkError,
  type Log,
  type LogBounds,
  type LogRecord,
  type Random,
  type ReadOptions,
  TidemarkError,
  type Topic,
} from '@tidemark/ports';
import { DEFAULT_EMBEDDED_LOG_LIMITS, type EmbeddedLogLimits } from './embedded-log-limits.ts';
import { claimFormat } from './format-file.ts';
import { LogSpace } from './log-space.ts';
import { newProducerId, Partition } from './partition.ts';
import { type MadePartition, PartitionList } from './partition-list.ts';
import { type PartitionCounts, PartitionSet, TOPICS } from './partition-set.ts';
import type { ProducerWriter } from './producer-writer.ts';

/** File in the folder of the log that its process holds locked. */
export const EMBEDDED_LOG_LOCK = 'LOCK';
const MIN_SEGMENT_BYTES = 64 * 1024;
const MAX_GENERATION = 2 ** 32 - 1;
/** Largest share of the log's bytes for all active segments together, which cannot be trimmed. */
const ACTIVE_SHARE = 1 / 4;

export interface EmbeddedLogOptions {
  /** The folder of this log; it contains nothing else. */
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly partitions: PartitionCounts;
  /** Bounds that differ from `DEFAULT_EMBEDDED_LOG_LIMITS`. */
  readonly limits?: Partial<EmbeddedLogLimits>;
}

/** Offsets of a partition for which there was no file when the log was opened, although they were not trimmed. */
export interface LostRange {
  readonly topic: Topic;
  readonly partition: number;
  readonly from: number;
  /** Exclusive. Where the end is lost, some of them may have had no record. */
  readonly to: number;
  /** Set where the whole folder of the partition is gone. */
  readonly isFolderGone?: true;
}

/**
 * Receives the readable range of a partition: records from `first` up to `next`, all durable. `segment` is the base of
 * the segment that is being written: a reader without that segment lists the folder again. `id` is the partition's.
 */
export type ProgressListener = (
  topic: Topic,
  partition: number,
  next: number,
  first: number,
  segment: number,
  id: string,
) => void;

/**
 * Opens the log in a folder, locks the folder for this process, and recovers every partition.
 * Errors: `failed_precondition` (another process has the folder, a newer format, more partitions on disk than
 * requested, no folder of `control`, a folder of another log), the disk's.
 */
export async function openEmbeddedLog(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
  const { disk, partitions } = options;
  const lock = await disk.lock(EMBEDDED_LOG_LOCK);
  let log: EmbeddedLog | undefined;
  try {
    await claimFormat(disk);
    const list = await PartitionList.open(disk);
    await checkCounts(disk, list, partitions);
    await checkControl(disk, list, partitions);
    log = new EmbeddedLog(options, lock, list);
    await log.recover();
    return log;
  } catch (error) {
    if (log === undefined) await lock.release();
    else await log.close();
    throw error;
  }
}

/** The log on one machine: a folder of segments for each partition. */
export class EmbeddedLog implements Log {
  readonly #random: Random;
  readonly #lock: DiskLock;
  readonly #space: LogSpace;
  readonly #list: PartitionList;
  readonly #partitions: PartitionSet<Partition>;
  readonly #listeners = new Set<ProgressListener>();
  #closing: Promise<void> | undefined;

  /** Use `openEmbeddedLog`. */
  constructor(options: EmbeddedLogOptions, lock: DiskLock, list: PartitionList) {
    const { disk, clock, random, partitions: counts } = options;
    const limits = { ...DEFAULT_EMBEDDED_LOG_LIMITS, ...options.limits };
    const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const share = Math.floor((limits.maxBytes * ACTIVE_SHARE) / Math.max(1, total));
    const segmentBytes = Math.min(limits.segmentBytes, Math.max(MIN_SEGMENT_BYTES, share));
    this.#random = random;
    this.#lock = lock;
    this.#list = list;
    this.#space = new LogSpace(limits);
    const space = this.#space;
    const generation = 1 + Math.floor(random.next() * MAX_GENERATION);
    const progressed = (partition: Partition): void => this.#announce(partition);
    this.#partitions = new PartitionSet(
      counts,
      (topic, partition) =>
        new Partition(topic, partition, {
          disk,
          clock,
          random,
          limits,
          segmentBytes,
          space,
          list,
          generation,
          progressed,
        }),
    );
  }

  /** What was gone from the beginning or the end of a partition when the log was opened. */
  get lost(): LostRange[] {
    return this.#partitions.all().flatMap(({ topic, partition, lost }) => {
      return lost.map((range) => ({ topic, partition, ...range }));
    });
  }

  /** The partitions, with their ids: `remakeLog` makes them again on another disk. */
  get made(): MadePartition[] {
    return this.#list.made;
  }

  /** Bytes of all segments. */
  get storedBytes(): number {
    return this.#space.storedBytes;
  }

  /** Recovers every partition, `control` first (see `checkControl`); `openEmbeddedLog` calls it once. */
  async recover(): Promise<void> {
    const all = this.#partitions.all();
    for (const partition of all.filter(({ topic }) => topic === 'control')) await partition.open();
    for (const partition of all.filter(({ topic }) => topic !== 'control')) await partition.open();
    try {
      await this.#list.save();
    } catch (error) {
      // Without space the first append saves it.
      if (!isTidemarkError(error, 'resource_exhausted')) throw error;
    }
  }

  async writer(topic: Topic, partition: number): Promise<ProducerWriter> {
    return this.#partitions.get(topic, partition).writer(newProducerId(this.#random));
  }

  /**
   * The writer of a producer that appended before, perhaps before a restart: it repeats its last sequence, or continues
   * after it. A producer that the log does not remember begins at sequence 0.
   */
  async resumeWriter(topic: Topic, partition: number, producer: Uint8Array): Promise<ProducerWriter> {
    return this.#partitions.get(topic, partition).writer(producer);
  }

  async read(topic: Topic, partition: number, from: number, options: ReadOptions): Promise<LogRecord[]> {
    return this.#partitions.get(topic, partition).read(from, options);
  }

  async bounds(topic: Topic, partition: number): Promise<LogBounds> {
    return this.#partitions.get(topic, partition).bounds();
  }

  /**
   * Makes the next record of a partition get at least the offset `next`: a consumer has records up to there, which the log
   * lost. Errors: `resource_exhausted`, the disk's.
   */
  async raise(topic: Topic, partition: number, next: number): Promise<void> {
    await this.#partitions.get(topic, partition).raise(next);
  }

  /** Deletes whole segments below `before`; the one that is being written stays. */
  async trim(topic: Topic, partition: number, before: number): Promise<void> {
    await this.#partitions.get(topic, partition).trim(before);
  }

  /**
   * Calls `listener` with the range of every partition now, and after each change; returns a function that stops it.
   */
  onAppend(listener: ProgressListener): () => void {
    this.#listeners.add(listener);
    for (const partition of this.#partitions.all()) report(listener, partition);
    return () => this.#listeners.delete(listener);
  }

  #announce(partition: Partition): void {
    for (const listener of this.#listeners) report(listener, partition);
  }

  /** Waits for appends in flight, ends waiting reads, and releases the folder. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all(this.#partitions.all().map((partition) => partition.close()));
    await this.#lock.release();
  }
}

function report(listener: ProgressListener, partition: Partition): void {
  listener(partition.topic, partition.partition, partition.next, partition.first, partition.segment, partition.id);
}

/**
 * Refuses a folder that has, or had, other partitions and not `control`, which is created before them. Without its records the platform
 * would have no keys, and would serve callers that need one.
 */
async function checkControl(disk: Disk, list: PartitionList, counts: PartitionCounts): Promise<void> {
  if ((counts.control ?? 0) === 0 || (await disk.list('control/0')).length > 0) return;
  for (const topic of ['points', 'tags'] as const) {
    for (let partition = 0; partition < (counts[topic] ?? 0); partition++) {
      const isThere = (await disk.list(`${topic}/${partition}`)).length > 0;
      if (!isThere && list.find(topic, partition) === undefined) continue;
      throw new TidemarkError(
        'failed_precondition',
        `log/control/0 is missing or empty, but log/${topic}/${partition} ${isThere ? 'exists' : 'was made'}: keys, budgets and maps are in control. ` +
          'Restore the folder from a copy; to begin without it, start with another data folder',
        { file: 'control/0', topic, partition },
      );
    }
  }
}

/** Refuses a folder with more partitions than requested: their acknowledged records would not be read. */
async function checkCounts(disk: Disk, list: PartitionList, counts: PartitionCounts): Promise<void> {
  for (const topic of TOPICS) {
    const folders = (await disk.list(topic)).filter((name) => /^[0-9]+$/.test(name)).length;
    const found = Math.max(folders, list.count(topic));
    const asked = counts[topic] ?? 0;
    if (found <= asked) continue;
    throw new TidemarkError(
      'failed_precondition',
      `partitions.${topic}: ${asked} (limit: at least ${found}, the number of partitions in the data folder)`,
      { field: `partitions.${topic}`, found, asked },
    );
  }
}
