import type { AggregateReply, AggregateRequest, PartitionStatusReply, ReplicaPosition } from '@tidemark/contract';
import type { ConsumedState, LostRecords } from '@tidemark/log-consumer';
import type { JudgedRecord } from '@tidemark/point-log';
import { RECORD } from '@tidemark/point-records';
import { assert, type LogRecord, type Slicing } from '@tidemark/ports';
import { BlockApplier } from './block-applier.ts';
import { BucketCloser } from './close/bucket-closer.ts';
import { isCloseDue, reopenBuckets } from './close/closable-buckets.ts';
import { logicalHash } from './close/logical-hash.ts';
import { writeCommit } from './commit.ts';
import { aggregate } from './fold/aggregate.ts';
import { checkLimits } from './point-store-limits.ts';
import { loadPartition } from './state/partition-load.ts';
import { PartitionStore, type PartitionStoreOptions } from './state/partition-state.ts';
import { coveredWatermarkOf, partitionStatus, watermarkOf } from './state/partition-status.ts';

export interface PointPartitionOptions extends PartitionStoreOptions {
  /** Lateness bound D of a tenant, ms. */
  readonly latenessMs: (tenant: string) => number;
  /** How answers and closes yield to applying records; without it each is computed in one slice. */
  readonly slicing?: Slicing;
}

/**
 * The points of one partition: points in RAM since the last commit, pages of the newest buckets in RAM, all pages on
 * disk. Its logical state (points, answers, counts, hashes) is a function of the log's prefix alone, and not of the
 * times of commits, stops and kills. docs/formats/point-store.md describes the stored entries.
 */
export class PointPartition implements ConsumedState {
  readonly #store: PartitionStore;
  readonly #applier: BlockApplier;
  readonly #closer: BucketCloser;
  readonly #slicing: Slicing | undefined;
  #bytesSinceCommit = 0;
  #isCutDue = false;
  #isCommitting = false;

  private constructor(options: PointPartitionOptions) {
    this.#store = new PartitionStore(options);
    this.#applier = new BlockApplier(this.#store, options.latenessMs);
    this.#closer = new BucketCloser(this.#store, options.slicing);
    this.#slicing = options.slicing;
  }

  /**
   * Loads the committed state; reading continues at `nextOffset`. `failed_precondition` when the data is of another
   * format, another partition or another width of buckets; `invalid_argument` when the limits contradict each other.
   */
  static async open(options: PointPartitionOptions): Promise<PointPartition> {
    checkLimits(options.limits);
    const partition = new PointPartition(options);
    try {
      await loadPartition(partition.#store);
    } catch (error) {
      partition.close();
      throw error;
    }
    // What a cut has marked may not be closed yet. Without a mark, the step of commits has been changed.
    partition.#isCutDue = partition.isClosing || isCloseDue(partition.#store);
    return partition;
  }

  get nextOffset(): number {
    return this.#store.nextOffset;
  }

  get committedOffset(): number {
    return this.#store.committedOffset;
  }

  /** True while buckets that a cut has marked are not closed. */
  get isClosing(): boolean {
    return this.#store.closing !== undefined;
  }

  /** True at a cut, when what was applied since the last commit has reached a limit, and when a close has failed. */
  get wantsCommit(): boolean {
    const { head, limits } = this.#store;
    if (this.#closer.hasFailed) return true;
    const isFull = head.isFull || head.points >= limits.commitRows;
    return this.#isCutDue || isFull || this.#bytesSinceCommit >= limits.commitBytes;
  }

  /**
   * Applies the record at `nextOffset`, or throws and applies nothing of it: `data_loss` when it is invalid, `resource_exhausted` when
   * there is no memory for it until a commit.
   */
  apply(record: LogRecord): void {
    assert(!this.#isCommitting, 'no record is applied during a commit');
    const judged = this.#store.judge(record);
    if (judged !== undefined) {
      this.#store.head.reserve(judged.shares.reduce((sum, { points }) => sum + points, 0));
      this.#applyJudged(judged, record.offset);
    }
    this.#store.nextOffset = record.offset + 1;
    this.#bytesSinceCommit += record.value.length;
  }

  /** Passes what halted the partition at `nextOffset`: the gap is permanent and shown. */
  skip(reason: string, lost: LostRecords): void {
    assert(!this.#isCommitting, 'no record is skipped during a commit');
    this.#store.skip(reason, lost);
    this.#isCutDue = true;
  }

  /**
   * Converts the head to pages and stores them with the offset and all state in one write. At a cut it also marks the buckets
   * that the watermark has passed: they close in the background. It waits for a close only if that has failed, or is that of an
   * earlier cut while this one has others. When it throws, no row is lost: call it again before another record is applied.
   */
  async commit(): Promise<void> {
    assert(!this.#isCommitting, 'one commit at a time');
    this.#isCommitting = true;
    try {
      await this.#closer.interrupted();
      await this.#write();
      // Due: that of an earlier cut was under way at the write.
      if (this.#closer.hasFailed || (!this.#closer.isStopped && isCloseDue(this.#store))) {
        await this.#closer.finish();
        await this.#write();
      }
      this.#isCutDue = false;
      this.#closer.proceed();
    } finally {
      this.#isCommitting = false;
    }
  }

  /** Resolves when nothing is being closed in the background. Throws the error of a close, which the next commit repeats. */
  whenClosed(): Promise<void> {
    return this.#closer.ended();
  }

  /** Ends the work in the background, which the next start begins again. Only a commit follows. */
  stop(): Promise<void> {
    return this.#closer.stop();
  }

  /**
   * Folds points; the answer covers every record below its `offset`. Errors: `invalid_argument`, `resource_exhausted`
   * when a limit is exceeded, `failed_precondition` when a series set is unknown, and the reason of `signal`, or
   * `cancelled`, soon after it aborts.
   */
  async aggregate(request: AggregateRequest, signal?: AbortSignal): Promise<AggregateReply> {
    return aggregate(this.#store, request, this.#slicing, signal);
  }

  /** The partition's position, except for the fields of its consumer; small enough to be polled every second. */
  get position(): Omit<ReplicaPosition, 'logNext' | 'halted' | 'haltedOffset' | 'problem'> {
    const { partition, nextOffset, committedOffset, tracker, hashes } = this.#store;
    const watermarkMs = watermarkOf(this.#store);
    const checkpointOffset = hashes.at(-1)?.offset;
    return {
      ...{ partition, offset: nextOffset, committedOffset, watermarkMs, checkpointOffset, era: tracker.era },
      slowestSession: tracker.slowestSession && Buffer.from(tracker.slowestSession),
    };
  }

  /** Of a tag store that has read `tags` below this offset; see `coveredWatermarkOf`. */
  coveredWatermarkMs(tagsOffset: number): number | undefined {
    return coveredWatermarkOf(this.#store, tagsOffset);
  }

  /** The partition's status, except for the fields of its consumer. */
  get status(): Omit<PartitionStatusReply, 'logNext' | 'halted' | 'haltedOffset'> {
    return partitionStatus(this.#store);
  }

  /**
   * The hash of the logical state as of `nextOffset`: equal after equal prefixes of the log. Reads all points. Apply no
   * record until it resolves, or the hash is not of one offset.
   */
  stateHash(): Promise<string> {
    return this.#store.lock.read(() => logicalHash(this.#store));
  }

  /**
   * Gives back the memory of the thread that the points since the last commit have. Call it when nothing is applied or
   * committed any more: answers that have found their points still come, others are `unavailable`.
   */
  close(): void {
    void this.#closer.stop();
    this.#store.head.close();
    this.#store.recent.close();
    this.#store.cache.close();
  }

  /** Writes what is not committed, and the mark of buckets to be closed if there is none. */
  async #write(): Promise<void> {
    const { nextOffset, committedOffset } = this.#store;
    const isMarkDue = !this.isClosing && isCloseDue(this.#store);
    if (nextOffset === committedOffset && !isMarkDue) return;
    await writeCommit(this.#store);
    this.#bytesSinceCommit = 0;
  }

  /** Takes back what followed from the watermark of the earlier era. */
  #beginEra(): void {
    const { tracker, coverage } = this.#store;
    coverage.setBack(tracker.watermarkMs);
    this.#closer.interrupt();
    reopenBuckets(this.#store);
    this.#isCutDue = true;
  }

  #applyJudged({ record, shares }: JudgedRecord, offset: number): void {
    const { tracker, limits } = this.#store;
    const before = Math.floor(tracker.watermarkMs / limits.commitStepMs);
    const { era } = tracker;
    if (record.type === RECORD.block) this.#applier.apply(record, shares);
    tracker.end(record, offset);
    if (tracker.era !== era) this.#beginEra();
    else if (Math.floor(tracker.watermarkMs / limits.commitStepMs) > before) this.#isCutDue = true;
  }
}
