import type { IdHash } from '@tidemark/bytes';
import type {
  DescribeMetricsReply,
  DescribeMetricsRequest,
  DescribeTagsReply,
  DescribeTagsRequest,
  Gap,
  MatchReply,
  MatchRequest,
  MemoryPart,
  ReplicaPosition,
  SeriesTagsReply,
  SeriesTagsRequest,
} from '@tidemark/contract';
import type { ConsumedState, LostRecords } from '@tidemark/log-consumer';
import { DAY_MS } from '@tidemark/model';
import {
  assert,
  finishAtOnce,
  isTidemarkError,
  type KeyValue,
  type LogRecord,
  type SlicedWork,
  type Slicing,
  TidemarkError,
  WorkSlice,
} from '@tidemark/ports';
import { readTagRecord, type TagRecordVisitor } from '@tidemark/tag-records';
import { Checkpoints, type TagCheckpoint } from './checkpoints.ts';
import { GAP } from './fact-hash.ts';
import { deleteOtherGenerations, type OpenedStore, openStore } from './open-store.ts';
import { Renumbering, type RenumberingLimits } from './renumbering.ts';
import { encodeState, STATE_KEY, type StoredGap } from './store-layout.ts';
import type { TagIndex } from './tag-index.ts';
import { gapsOf, type OverBudget, TagReads } from './tag-reads.ts';
import { DEFAULT_TAG_STORE_LIMITS, type TagStoreLimits } from './tag-store-limits.ts';
import { type Captured, Uncommitted } from './uncommitted.ts';

const DEFAULT_COMMIT_RECORDS = 64;
const DEFAULT_COMMIT_BYTES = 4 * 1024 * 1024;
/** Bytes from which on the writes of a commit are made in slices. */
const SLICED_BYTES = 256 * 1024;
/** Maximum length of the stored reason of a skip, in UTF-16 code units. */
const REASON_LENGTH = 1024;
/**
 * Upper bound of `matchGroups`: with more, a grouping, whose nodes are at most groups × keys, could use more than about
 * 100 MB.
 */
const MAX_GROUPS = 100_000;
/** Upper bound of `groupKeys`, for the same memory. */
const MAX_GROUP_KEYS = 20;

interface CapturedState extends Captured {
  readonly offset: number;
  readonly appliedBytes: number;
}

/** Ends work whose partition has applied a record. */
const CHANGED = new TidemarkError('aborted', 'a record was applied');

export interface TagPartitionOptions {
  /** The partition's own store; it must contain nothing else. */
  readonly keyValue: KeyValue;
  readonly limits?: TagStoreLimits;
  /** Days of series that are kept before the last one, by the days in the log; 0, the default, keeps all. */
  readonly retentionDays?: number;
  /** Records after which `wantsCommit` is true. */
  readonly commitRecords?: number;
  /** Bytes of records after which `wantsCommit` is true. */
  readonly commitBytes?: number;
  /** Hash of the table of series, with a random key; its key is that of the tables of tags. Tests leave it out. */
  readonly idHash?: IdHash;
  /**
   * Random bytes of this opening of the store. With them replies have a version, by which callers ask whether groups are still
   * the same; counts alone would not distinguish two stores of which one has another log.
   */
  readonly instance?: Uint8Array;
  /** When a long commit yields to queries and other partitions; without it a commit does its work in one piece. */
  readonly slicing?: Slicing;
  readonly renumbering?: RenumberingLimits;
}

export interface TagPartitionStatus {
  /** End of the records that every answer covers. */
  readonly offset: number;
  readonly committedOffset: number;
  readonly series: number;
  readonly metrics: number;
  readonly tags: number;
  readonly stateHash: string;
  /** Hashes of the state at the newest checkpoints, ascending. */
  readonly stateHashes: readonly TagCheckpoint[];
  /**
   * Days of series that wait for a definition, because it was in a gap.
   */
  readonly unknownDays: number;
  /** Days of series that were dropped at `MAX_UNKNOWN_DAYS`, before a definition arrived. */
  readonly droppedUnknownDays: number;
  readonly memory: readonly MemoryPart[];
}

/**
 * The tag store of one partition: its series, from the log of topic `tags` alone. Answers cover all applied records;
 * `commit` makes them durable atomically, with the offset. After a crash, reading from `nextOffset` on gives the same
 * answers and the same hash, for any committed state.
 */
export class TagPartition implements ConsumedState {
  /** Answers to requests about what was applied. */
  readonly reads: TagReads;
  readonly #keyValue: KeyValue;
  readonly #slicing: Slicing | undefined;
  readonly #renumberingLimits: RenumberingLimits | undefined;
  readonly #commitRecords: number;
  readonly #commitBytes: number;
  #index: TagIndex;
  #uncommitted: Uncommitted;
  readonly #gaps: Map<number, StoredGap>;
  readonly #checkpoints: Checkpoints;
  readonly #visitor: TagRecordVisitor;
  #nextOffset: number;
  #committedOffset: number;
  #appliedBytes = 0;
  #isCommitting = false;
  #renumbering: Renumbering | undefined;
  /** True while entries of an earlier generation may be stored. */
  #hasOldGeneration = false;
  #isStopped = false;

  /** Opens the store of a partition, empty or as it was last committed. Errors as of `openStore`. */
  static async open(options: TagPartitionOptions): Promise<TagPartition> {
    return new TagPartition(options, await openStore(options.keyValue, options));
  }

  constructor(options: TagPartitionOptions, store: OpenedStore) {
    this.#keyValue = options.keyValue;
    const { limits = DEFAULT_TAG_STORE_LIMITS } = options;
    assert(limits.matchGroups <= MAX_GROUPS, `matchGroups is at most ${MAX_GROUPS}`);
    assert(limits.groupKeys <= MAX_GROUP_KEYS, `groupKeys is at most ${MAX_GROUP_KEYS}`);
    const applied = () => ({
      index: this.#index,
      generation: this.#uncommitted.generation,
      nextOffset: this.#nextOffset,
      gaps: this.#gaps,
    });
    this.reads = new TagReads(applied, limits, options.instance);
    this.#slicing = options.slicing;
    this.#renumberingLimits = options.renumbering;
    this.#commitRecords = options.commitRecords ?? DEFAULT_COMMIT_RECORDS;
    this.#commitBytes = options.commitBytes ?? DEFAULT_COMMIT_BYTES;
    this.#index = store.index;
    this.#uncommitted = new Uncommitted(store.journal);
    for (const [day, metrics] of store.expired) this.#uncommitted.expired(day, metrics);
    this.#gaps = store.gaps;
    this.#checkpoints = store.checkpoints;
    this.#visitor = {
      series: (id, name, day) => this.#index.addSeries(id, name, day, this.#uncommitted),
      day: (id, day) => this.#index.addDay(id, day, this.#uncommitted),
      statement: (...statement) => this.#index.state(...statement, this.#uncommitted),
    };
    this.#nextOffset = store.nextOffset;
    this.#committedOffset = store.nextOffset;
  }

  get nextOffset(): number {
    return this.#nextOffset;
  }

  get committedOffset(): number {
    return this.#committedOffset;
  }

  /** An estimate of the bytes that a commit would write. */
  get pendingBytes(): number {
    return this.#uncommitted.sizeBytes;
  }

  get wantsCommit(): boolean {
    if (this.#renumbering?.outcome === 'made') return true;
    return this.#nextOffset - this.#committedOffset >= this.#commitRecords || this.#appliedBytes >= this.#commitBytes;
  }

  /**
   * Applies the record at `nextOffset`. Throws `data_loss`, and changes nothing, when it is broken or of another
   * offset.
   */
  apply(record: LogRecord): void {
    if (record.offset !== this.#nextOffset) {
      throw new TidemarkError('data_loss', `received record ${record.offset}, expected ${this.#nextOffset}`, {
        offset: record.offset,
        expected: this.#nextOffset,
      });
    }
    this.#index.began(Math.max(0, Math.floor(record.appendTimeMs / DAY_MS)), this.#uncommitted);
    readTagRecord(record.value, this.#visitor);
    this.#nextOffset++;
    this.#appliedBytes += record.value.length;
    this.#keepCheckpoint();
  }

  /** Skips the records from `nextOffset` on. The gap stays in the state, and in its hash, permanently. */
  skip(reason: string, { records }: LostRecords): void {
    const offset = this.#nextOffset;
    this.#nextOffset += records;
    const gap = { reason: reason.slice(0, REASON_LENGTH), records };
    this.#gaps.set(offset, gap);
    this.#uncommitted.gap(offset, gap);
    this.#index.hash.add(gapBytes(offset, records), 0, GAP);
    this.#keepCheckpoint();
  }

  /**
   * Writes all changes since the last commit, and the offset, in one write. After an error it can be called again. It answers
   * requests meanwhile. A caller that applies no records until it ends lets it do long work in slices.
   */
  async commit(): Promise<void> {
    assert(!this.#isCommitting, 'one commit at a time');
    const isMade = this.#renumbering?.outcome === 'made';
    if (this.#nextOffset === this.#committedOffset && !isMade) return;
    this.#isCommitting = true;
    try {
      if (isMade) this.#takeRenumbered();
      const isLarge = this.#uncommitted.sizeBytes > SLICED_BYTES;
      const captured = isLarge ? await this.#unlessChanged(this.#captured()) : undefined;
      await this.#write(captured ?? finishAtOnce(this.#captured()));
      await this.#deleteOldGeneration();
      this.#renumber();
    } finally {
      this.#isCommitting = false;
    }
  }

  /** Ends a renumbering in progress. A commit after it does not begin another one. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#renumbering?.stop();
  }

  /**
   * Considers a renumbering after days have expired, or continues one whose write has failed. It changes no answer and no
   * hash, so it may depend on commits and time.
   */
  #renumber(): void {
    if (this.#isStopped || this.#hasOldGeneration) return;
    if (this.#renumbering?.outcome === 'not due') this.#renumbering = undefined;
    if (this.#renumbering === undefined && this.#index.hasExpired) {
      this.#index.hasExpired = false;
      const options = { keyValue: this.#keyValue, slicing: this.#slicing, ...this.#renumberingLimits };
      this.#renumbering = new Renumbering(this.#index, this.#uncommitted, options);
    }
    this.#renumbering?.proceed();
  }

  #takeRenumbered(): void {
    if (this.#renumbering === undefined) return;
    this.#renumbering.finish();
    this.#index = this.#renumbering.index;
    this.#uncommitted = this.#renumbering.changes;
    this.#renumbering = undefined;
    this.#hasOldGeneration = true;
  }

  /** Where that fails, a later commit or the next open does it. */
  async #deleteOldGeneration(): Promise<void> {
    if (!this.#hasOldGeneration) return;
    try {
      await deleteOtherGenerations(this.#keyValue, this.#uncommitted.generation);
      this.#hasOldGeneration = false;
    } catch (error) {
      if (!isTidemarkError(error)) throw error;
    }
  }

  /** The writes of a commit, with the state, which belongs to the moment of the last piece. */
  *#captured(): SlicedWork<CapturedState, number> {
    const { writes, settle } = yield* this.#uncommitted.captured();
    writes.push({ key: STATE_KEY, value: this.#encodeState() });
    return { writes, settle, offset: this.#nextOffset, appliedBytes: this.#appliedBytes };
  }

  async #write({ writes, settle, offset, appliedBytes }: CapturedState): Promise<void> {
    let isCommitted = false;
    try {
      await this.#keyValue.write(writes);
      isCommitted = true;
      this.#committedOffset = offset;
      this.#appliedBytes -= appliedBytes;
    } finally {
      settle(isCommitted);
    }
  }

  /** Does work in slices. Gives it up, and returns undefined, when a record is applied meanwhile. */
  async #unlessChanged<T>(work: SlicedWork<T, number>): Promise<T | undefined> {
    const offset = this.#nextOffset;
    const slice = new WorkSlice(this.#slicing, undefined, () => (this.#nextOffset === offset ? undefined : CHANGED));
    try {
      return await slice.finish(work);
    } catch (error) {
      if (error !== CHANGED) throw error;
      return undefined;
    }
  }

  #keepCheckpoint(): void {
    if (!Checkpoints.isAt(this.#nextOffset)) return;
    const checkpoint = { offset: this.#nextOffset, hash: this.stateHash() };
    this.#uncommitted.checkpoint(checkpoint, this.#checkpoints.add(checkpoint));
  }

  #encodeState(): Buffer {
    const { tags, metrics, series, calendar, unknown, hash } = this.#index;
    return encodeState({
      nextOffset: this.#nextOffset,
      generation: this.#uncommitted.generation,
      tags: tags.size,
      metrics: metrics.all.length,
      series: series.count,
      daysOfSeries: calendar.seen,
      days: calendar.size,
      daysBegun: calendar.begun,
      today: calendar.today,
      expiredBefore: calendar.expiredThrough + 1,
      unknownDays: unknown.count,
      droppedUnknownDays: unknown.dropped,
      gaps: this.#gaps.size,
      hash: hash.sums,
    });
  }

  /** As that of `reads`, at once. */
  match(request: MatchRequest): MatchReply {
    return finishAtOnce(this.reads.match(request));
  }

  /** As that of `reads`, at once. */
  describeMetrics(request: DescribeMetricsRequest): DescribeMetricsReply {
    return finishAtOnce(this.reads.describeMetrics(request));
  }

  /** As that of `reads`, at once. */
  describeTags(request: DescribeTagsRequest): DescribeTagsReply {
    return finishAtOnce(this.reads.describeTags(request));
  }

  /** As that of `reads`, at once. */
  seriesTags(request: SeriesTagsRequest): SeriesTagsReply {
    return finishAtOnce(this.reads.seriesTags(request));
  }

  /** Skipped records, by offset: series that they defined are in no answer. */
  gaps(partition: number): Gap[] {
    return gapsOf(this.#gaps, partition);
  }

  /**
   * The number of series of a metric seen on or after `sinceDay` (UTC days since the Unix epoch); by default all
   * series.
   */
  seriesCount(tenant: string, metric: string, sinceDay = 0): number {
    const found = this.#index.metrics.find(tenant, metric);
    return found === undefined ? 0 : finishAtOnce(found.countSince(sinceDay));
  }

  /** As that of `reads`, at once. */
  budgets(...limits: Parameters<TagReads['budgets']>): OverBudget {
    return finishAtOnce(this.reads.budgets(...limits));
  }

  status(): TagPartitionStatus {
    const { tags, metrics, series, unknown, postings } = this.#index;
    return {
      offset: this.#nextOffset,
      committedOffset: this.#committedOffset,
      series: series.count,
      metrics: metrics.all.length,
      tags: tags.size,
      stateHash: this.stateHash(),
      stateHashes: [...this.#checkpoints.all],
      unknownDays: unknown.count,
      droppedUnknownDays: unknown.dropped,
      memory: [
        { part: 'series', bytes: series.sizeBytes },
        { part: 'postings', bytes: postings.sizeBytes },
      ],
    };
  }

  /**
   * The partition's position, except for its number and the fields of its consumer; small enough to be polled often.
   */
  get position(): Pick<
    ReplicaPosition,
    'offset' | 'committedOffset' | 'watermarkMs' | 'checkpointOffset' | 'stateHash'
  > {
    return {
      offset: this.#nextOffset,
      committedOffset: this.#committedOffset,
      watermarkMs: undefined,
      checkpointOffset: this.#checkpoints.newestOffset,
      stateHash: this.stateHash(),
    };
  }

  /**
   * The hash of the state, 32 hexadecimal digits: a function of the applied facts alone, so equal for replicas, replays
   * and restores at equal offsets.
   */
  stateHash(): string {
    return this.#index.hash.toString();
  }
}

/** A gap in 16 bytes, the size of the subject of a hashed fact. */
function gapBytes(offset: number, records: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeDoubleLE(offset, 0);
  bytes.writeDoubleLE(records - 1, 8);
  return bytes;
}
