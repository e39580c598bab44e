import type {
  DescribeMetricsReply,
  DescribeMetricsRequest,
  DescribeTagsReply,
  DescribeTagsRequest,
  Gap,
  MatchReply,
  MatchRequest,
  ReplicaPosition,
  SeriesTagsReply,
  SeriesTagsRequest,
} from '@tidemark/contract';
import type { ConsumedState } from '@tidemark/log-consumer';
import { assert, type KeyValue, type LogRecord, TidemarkError } from '@tidemark/ports';
import { readTagRecord, type TagRecordVisitor } from '@tidemark/tag-records';
import { Checkpoints, type TagCheckpoint } from './checkpoints.ts';
import { describeMetrics, describeTags, seriesTags } from './describe.ts';
import { GAP } from './fact-hash.ts';
import { match } from './match.ts';
import { type OpenedStore, openStore } from './open-store.ts';
import { encodeState, STATE_KEY } from './store-layout.ts';
import type { TagIndex } from './tag-index.ts';
import { DEFAULT_TAG_STORE_LIMITS, type TagStoreLimits } from './tag-store-limits.ts';
import { Uncommitted } from './uncommitted.ts';

const DEFAULT_COMMIT_RECORDS = 64;
const DEFAULT_COMMIT_BYTES = 4 * 1024 * 1024;
/** Longest reason of a skip that is kept, in UTF-16 code units. */
const REASON_LENGTH = 1024;
/** Beyond these a grouping, whose nodes are at most groups × keys, would take more than some 100 MB. */
const MOST_GROUPS = 100_000;
const MOST_GROUP_KEYS = 20;

export interface TagPartitionOptions {
  /** The partition's own store; nothing else may be in it. */
  readonly keyValue: KeyValue;
  readonly limits?: TagStoreLimits;
  /** Records after which `wantsCommit` holds. */
  readonly commitRecords?: number;
  /** Bytes of records after which `wantsCommit` holds. */
  readonly commitBytes?: number;
}

export interface TagPartitionStatus {
  /** Records below this offset are in every answer. */
  readonly offset: number;
  readonly committedOffset: number;
  readonly series: number;
  readonly metrics: number;
  readonly tags: number;
  readonly stateHash: string;
  /** Hashes of the state at the newest checkpoints, ascending. */
  readonly stateHashes: readonly TagCheckpoint[];
  /** Days of series whose definition a gap has swallowed, still waiting for one; and those let go of at the limit. */
  readonly unknownDays: number;
  readonly droppedUnknownDays: number;
}

export interface OverBudget {
  readonly tenants: readonly { readonly tenant: string; readonly series: number }[];
  readonly metrics: readonly { readonly tenant: string; readonly metric: string; readonly series: number }[];
}

/**
 * The tag store of one partition: which series there are, from the log of topic `tags` alone. Answers are over all that
 * was applied; `commit` makes it durable, whole, with the offset. After a crash, reading on from `nextOffset` leads to
 * the same answers and the same hash, whatever had been committed.
 */
export class TagPartition implements ConsumedState {
  readonly #keyValue: KeyValue;
  readonly #limits: TagStoreLimits;
  readonly #commitRecords: number;
  readonly #commitBytes: number;
  readonly #index: TagIndex;
  readonly #uncommitted: Uncommitted;
  readonly #gaps: Map<number, string>;
  readonly #checkpoints: Checkpoints;
  readonly #visitor: TagRecordVisitor;
  #nextOffset: number;
  #committedOffset: number;
  #appliedBytes = 0;
  #isCommitting = false;

  /** Opens the store of a partition, empty or as it was last committed. Errors as of `openStore`. */
  static async open(options: TagPartitionOptions): Promise<TagPartition> {
    return new TagPartition(options, await openStore(options.keyValue));
  }

  constructor(options: TagPartitionOptions, store: OpenedStore) {
    this.#keyValue = options.keyValue;
    this.#limits = options.limits ?? DEFAULT_TAG_STORE_LIMITS;
    assert(this.#limits.matchGroups <= MOST_GROUPS, `matchGroups is at most ${MOST_GROUPS}`);
    assert(this.#limits.groupKeys <= MOST_GROUP_KEYS, `groupKeys is at most ${MOST_GROUP_KEYS}`);
    this.#commitRecords = options.commitRecords ?? DEFAULT_COMMIT_RECORDS;
    this.#commitBytes = options.commitBytes ?? DEFAULT_COMMIT_BYTES;
    const { index } = store;
    const uncommitted = new Uncommitted(store.journal);
    this.#index = index;
    this.#uncommitted = uncommitted;
    this.#gaps = store.gaps;
    this.#checkpoints = store.checkpoints;
    this.#visitor = {
      series: (id, name, day) => index.addSeries(id, name, day, uncommitted),
      day: (id, day) => index.addDay(id, day, uncommitted),
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

  /** About how much a commit would write, bytes. */
  get pendingBytes(): number {
    return this.#uncommitted.sizeBytes;
  }

  get wantsCommit(): boolean {
    return this.#nextOffset - this.#committedOffset >= this.#commitRecords || this.#appliedBytes >= this.#commitBytes;
  }

  /** Applies the record at `nextOffset`. Throws `data_loss`, and changes nothing, when it is broken or not that one. */
  apply(record: LogRecord): void {
    if (record.offset !== this.#nextOffset) {
      throw new TidemarkError('data_loss', `record ${record.offset} came, ${this.#nextOffset} was expected`, {
        offset: record.offset,
        expected: this.#nextOffset,
      });
    }
    readTagRecord(record.value, this.#visitor);
    this.#nextOffset++;
    this.#appliedBytes += record.value.length;
    this.#keepCheckpoint();
  }

  /** Passes the record at `nextOffset` without applying it. The gap stays in the state, and in its hash, for good. */
  skip(reason: string): void {
    const offset = this.#nextOffset++;
    const kept = reason.slice(0, REASON_LENGTH);
    this.#gaps.set(offset, kept);
    this.#uncommitted.gap(offset, kept);
    this.#index.hash.add(offsetBytes(offset), 0, GAP);
    this.#keepCheckpoint();
  }

  /** Writes all changes since the last commit, and the offset, in one write. After an error it can be called again. */
  async commit(): Promise<void> {
    assert(!this.#isCommitting, 'one commit at a time');
    if (this.#nextOffset === this.#committedOffset) return;
    const offset = this.#nextOffset;
    const appliedBytes = this.#appliedBytes;
    const { writes, settle } = this.#uncommitted.capture();
    writes.push({ key: STATE_KEY, value: this.#encodeState() });
    let isCommitted = false;
    this.#isCommitting = true;
    try {
      await this.#keyValue.write(writes);
      isCommitted = true;
      this.#committedOffset = offset;
      this.#appliedBytes -= appliedBytes;
    } finally {
      this.#isCommitting = false;
      settle(isCommitted);
    }
  }

  #keepCheckpoint(): void {
    if (!Checkpoints.isAt(this.#nextOffset)) return;
    const checkpoint = { offset: this.#nextOffset, hash: this.stateHash() };
    this.#uncommitted.checkpoint(checkpoint, this.#checkpoints.add(checkpoint));
  }

  #encodeState(): Buffer {
    const { tags, metrics, series, daysOfSeries, unknown, hash } = this.#index;
    return encodeState({
      nextOffset: this.#nextOffset,
      tags: tags.size,
      metrics: metrics.all.length,
      series: series.count,
      daysOfSeries,
      unknownDays: unknown.count,
      droppedUnknownDays: unknown.dropped,
      gaps: this.#gaps.size,
      hash: hash.sums,
    });
  }

  /** The series that a filter selects, in groups. Throws `resource_exhausted` naming the limit and what was found. */
  match(request: MatchRequest): MatchReply {
    return { ...match(this.#index, request, this.#limits), ...this.#place(request.partition) };
  }

  /** Metrics of a tenant, by name. */
  describeMetrics(request: DescribeMetricsRequest): DescribeMetricsReply {
    return { metrics: describeMetrics(this.#index, request, this.#limits), ...this.#place(request.partition) };
  }

  /** Tag keys and values of a metric. */
  describeTags(request: DescribeTagsRequest): DescribeTagsReply {
    return { keys: describeTags(this.#index, request, this.#limits), ...this.#place(request.partition) };
  }

  /** Names of series by id. */
  seriesTags(request: SeriesTagsRequest): SeriesTagsReply {
    return { series: seriesTags(this.#index, request, this.#limits), tagsOffset: this.#nextOffset };
  }

  /** Skipped records, by offset: series that they defined are in no answer. */
  gaps(partition: number): Gap[] {
    return Array.from(this.#gaps, ([offset, reason]) => ({ topic: 'tags', partition, offset, reason }));
  }

  /** What every answer says of itself. */
  #place(partition: number): { tagsOffset: number; gaps: Gap[] } {
    return { tagsOffset: this.#nextOffset, gaps: this.gaps(partition) };
  }

  /** Series of a metric seen on or after `sinceDay` (UTC days since the Unix epoch); all there ever were by default. */
  seriesCount(tenant: string, metric: string, sinceDay = 0): number {
    return this.#index.metrics.find(tenant, metric)?.countSince(sinceDay) ?? 0;
  }

  /** Tenants and metrics with more series in this partition, seen on or after `sinceDay`, than the limits. */
  budgets(limitPerTenant: number, limitPerMetric: number, sinceDay = 0): OverBudget {
    const tenants: { tenant: string; series: number }[] = [];
    const metrics: { tenant: string; metric: string; series: number }[] = [];
    for (const tenant of this.#index.metrics.tenants()) {
      let total = 0;
      for (const metric of this.#index.metrics.ofTenant(tenant)) {
        const series = metric.countSince(sinceDay);
        total += series;
        if (series > limitPerMetric) metrics.push({ tenant, metric: metric.name, series });
      }
      if (total > limitPerTenant) tenants.push({ tenant, series: total });
    }
    return { tenants, metrics };
  }

  status(): TagPartitionStatus {
    const { tags, metrics, series, unknown } = this.#index;
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
    };
  }

  /** How far the partition is, but for its number and what its consumer knows: little enough to be asked for often. */
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
   * 32 hexadecimal digits that are a function of the facts applied, and of nothing else: equal for replicas, replays
   * and restores at equal offsets.
   */
  stateHash(): string {
    return this.#index.hash.toString();
  }
}

/** An offset in 16 bytes, as the hash takes what a fact is about. */
function offsetBytes(offset: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeDoubleLE(offset, 0);
  return bytes;
}
