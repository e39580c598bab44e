import type { AggregateReply, AggregateRequest, PartitionStatusReply, ReplicaPosition } from '@tidemark/contract';
import type { ConsumedState, LostRecords } from '@tidemark/log-consumer';
import type { JudgedRecord } from '@tidemark/point-log';
import { RECORD } from '@tidemark/point-records';
import { assert, type LogRecord, type Slicing } from '@tidemark/ports';
import { aggregate } from './aggregate.ts';
import { BlockApplier } from './block-applier.ts';
import { closeBuckets, isCloseDue, reopenBuckets } from './bucket-closer.ts';
import { writeCommit } from './commit.ts';
import { logicalHash } from './logical-hash.ts';
import { loadPartition } from './partition-load.ts';
import { PartitionStore, type PartitionStoreOptions } from './partition-state.ts';
import { partitionStatus } from './partition-status.ts';
import { checkLimits } from './point-store-limits.ts';

export interface PointPartitionOptions extends PartitionStoreOptions {
  /** Lateness bound D of a tenant, ms. */
  readonly latenessMs: (tenant: string) => number;
  /** How answers yield to applying records; without it each is computed in one slice. */
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
  readonly #slicing: Slicing | undefined;
  #bytesSinceCommit = 0;
  #isCutDue = false;
  #isCommitting = false;

  private constructor(options: PointPartitionOptions) {
    this.#store = new PartitionStore(options);
    this.#applier = new BlockApplier(this.#store, options.latenessMs);
    this.#slicing = options.slicing;
  }

  /**
   * Loads the committed state; reading continues at `nextOffset`. `failed_precondition` when the data is of another
   * format, another partition or another width of buckets; `invalid_argument` when the limits contradict each other.
   */
  static async open(options: PointPartitionOptions): Promise<PointPartition> {
    checkLimits(options.limits);
    const partition = new PointPartition(options);
    await loadPartition(partition.#store);
    // A crash may have happened between a cut and the closing of its buckets.
    partition.#isCutDue = isCloseDue(partition.#store);
    return partition;
  }

  get nextOffset(): number {
    return this.#store.nextOffset;
  }

  get committedOffset(): number {
    return this.#store.committedOffset;
  }

  /** True at a cut, and when what was applied since the last commit has reached a limit. */
  get wantsCommit(): boolean {
    const { head, limits } = this.#store;
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
   * Converts the head to pages and stores them with the offset and all state in one write; after a cut closes the buckets
   * that the watermark has passed. When it throws, no row is lost: call it again before another record is applied.
   */
  async commit(): Promise<void> {
    assert(!this.#isCommitting, 'one commit at a time');
    this.#isCommitting = true;
    try {
      if (this.#store.nextOffset !== this.#store.committedOffset) {
        await writeCommit(this.#store);
        this.#bytesSinceCommit = 0;
      }
      await closeBuckets(this.#store);
      this.#isCutDue = false;
    } finally {
      this.#isCommitting = false;
    }
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
    const watermarkMs = Number.isFinite(tracker.watermarkMs) ? tracker.watermarkMs : undefined;
    const checkpointOffset = hashes.at(-1)?.offset;
    return {
      ...{ partition, offset: nextOffset, committedOffset, watermarkMs, checkpointOffset, era: tracker.era },
      slowestSession: tracker.slowestSession && Buffer.from(tracker.slowestSession),
    };
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
    this.#store.head.close();
    this.#store.recent.close();
    this.#store.cache.close();
  }

  /** Takes back what followed from the watermark of the earlier era. */
  #beginEra(): void {
    const { tracker, coverage } = this.#store;
    coverage.setBack(tracker.watermarkMs);
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
