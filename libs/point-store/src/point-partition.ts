import { type BlockRecord, decodeRecord, RECORD, type Span } from '@tidemark/block';
import { decodeShare, inspectShare, PointColumns, SHARE_POINTS_LIMIT, SketchColumns } from '@tidemark/columns';
import type { AggregateReply, AggregateRequest, PartitionStatusReply } from '@tidemark/contract';
import { PartitionTracker } from '@tidemark/lanes';
import type { PartitionState } from '@tidemark/partition';
import { assert, type KeyValue, type KeyValueWrite, type LogRecord, TidemarkError } from '@tidemark/ports';
import { aggregate } from './aggregate.ts';
import { mergeBucket } from './bucket-merge.ts';
import { flushRows } from './flush.ts';
import { Head } from './head.ts';
import { numberKey, PREFIX, readChunkKey } from './keys.ts';
import { LaneDictionaries, UNDEFINED_SERIES } from './lane-dictionaries.ts';
import { logicalHash } from './logical-hash.ts';
import { type BucketHash, loadPartition, type MarkedGap } from './partition-load.ts';
import { commitWrites, gapWrite, hashWrite, markSaved, type SavedTables } from './partition-save.ts';
import type { PointStoreLimits } from './point-store-limits.ts';
import { RecentChunks } from './recent-chunks.ts';
import { SavedDictionaries } from './saved-dictionaries.ts';
import { SeriesSets } from './series-sets.ts';
import { SeriesTable } from './series-table.ts';
import { SharedLock } from './shared-lock.ts';
import { TagsCoverage } from './tags-coverage.ts';

export interface PointPartitionOptions {
  readonly partition: number;
  readonly keyValue: KeyValue;
  readonly limits: PointStoreLimits;
  /** Lateness bound D of a tenant, ms. */
  readonly latenessMs: (tenant: string) => number;
}

/** Counts of what was applied; functions of the log. */
export interface PartitionCounts {
  points: number;
  latePoints: number;
  duplicatePoints: number;
  undefinedPoints: number;
}

const SHARE_LIMITS = { points: SHARE_POINTS_LIMIT, sketches: SHARE_POINTS_LIMIT, sketchBytes: 1024 * 1024 };

/**
 * The points of one partition: rows in RAM since the last commit, chunks of the newest buckets in RAM, all chunks on
 * disk. Its state is a function of the log's prefix; docs/formats/point-store.md says what is stored.
 */
export class PointPartition implements PartitionState {
  readonly partition: number;
  readonly table: SeriesTable = new SeriesTable();
  readonly head = new Head();
  readonly recent: RecentChunks;
  readonly counts: PartitionCounts = { points: 0, latePoints: 0, duplicatePoints: 0, undefinedPoints: 0 };
  readonly gaps: MarkedGap[] = [];
  readonly hashes: BucketHash[] = [];
  readonly keyValue: KeyValue;
  readonly limits: PointStoreLimits;
  readonly seriesSets: SeriesSets;
  readonly savedDictionaries = new SavedDictionaries();
  /** Readers hold it while they collect chunks; a commit holds it while rows become chunks. */
  readonly lock = new SharedLock();
  tracker = new PartitionTracker();
  coverage = new TagsCoverage();
  nextOffset = 0;
  committedOffset = 0;
  sequence = 0;
  newestBucket = -1;
  closedBucket = -1;
  readonly #latenessMs: (tenant: string) => number;
  readonly #dictionaries = new LaneDictionaries();
  readonly #points = new PointColumns();
  readonly #sketches = new SketchColumns();
  #savedTables: SavedTables = { series: 0, metrics: 0 };
  #bytesSinceCommit = 0;
  #isCutDue = false;
  #commitStep = Number.NEGATIVE_INFINITY;

  private constructor(options: PointPartitionOptions) {
    this.partition = options.partition;
    this.keyValue = options.keyValue;
    this.limits = options.limits;
    this.#latenessMs = options.latenessMs;
    this.recent = new RecentChunks(options.limits.recentBytes);
    this.seriesSets = new SeriesSets(options.limits.seriesSets);
  }

  /** Loads what was committed; reading goes on at `nextOffset`. */
  static async open(options: PointPartitionOptions): Promise<PointPartition> {
    const partition = new PointPartition(options);
    await loadPartition(partition, partition.#dictionaries);
    partition.#savedTables = { series: partition.table.length, metrics: partition.table.metricCount };
    partition.#commitStep = partition.#stepOf(partition.tracker.watermarkMs);
    await partition.#closeBuckets();
    return partition;
  }

  get wantsCommit(): boolean {
    const { commitRows, commitBytes } = this.limits;
    return this.#isCutDue || this.head.rows >= commitRows || this.#bytesSinceCommit >= commitBytes;
  }

  /** Applies the record at `nextOffset`; `data_loss` when it can't be, and then nothing of it is. */
  apply({ offset, value }: LogRecord): void {
    assert(offset === this.nextOffset, `record ${offset} where ${this.nextOffset} was next`);
    const record = decodeRecord(value);
    if (record.partition !== this.partition) {
      throw new TidemarkError('data_loss', `a record of partition ${record.partition} in partition ${this.partition}`);
    }
    if (this.tracker.begin(record) === 'apply') {
      if (record.type === RECORD.block) this.#applyBlock(record);
      this.tracker.end(record, offset);
      const step = this.#stepOf(this.tracker.watermarkMs);
      if (step > this.#commitStep) {
        this.#commitStep = step;
        this.#isCutDue = true;
      }
    }
    this.nextOffset = offset + 1;
    this.#bytesSinceCommit += value.length;
  }

  /** Passes the record at `nextOffset`: the gap is permanent and shown. */
  skip(reason: string): void {
    this.gaps.push({ offset: this.nextOffset, reason });
    this.tracker.skip();
    this.nextOffset++;
    this.#isCutDue = true;
  }

  /** Turns rows into chunks and stores them with the offset and all state in one write. */
  async commit(): Promise<void> {
    if (this.nextOffset === this.committedOffset) return;
    const source = { mapEpoch: this.head.mapEpoch, fromOffset: this.committedOffset, toOffset: this.nextOffset };
    const { pages, sketches, rows } = this.head;
    const batches = flushRows({ pages, sketches, rows, table: this.table, bucketMs: this.limits.bucketMs, source });
    this.sequence++;
    const finished = batches.byBucket.map(([bucket, batch]) => ({ bucket, ...batch.finish(this.sequence) }));
    const newestBucket = Math.max(this.newestBucket, ...finished.map(({ bucket }) => bucket));
    const writes = this.#stateWrites({ newestBucket, closedBucket: this.closedBucket });
    for (const batch of finished) for (const write of batch.writes) writes.push(write);
    for (const gap of this.gaps) if (gap.offset >= this.committedOffset) writes.push(gapWrite(gap));
    await this.lock.write(async () => {
      await this.keyValue.write(writes);
      this.head.take();
      for (const { bucket, packed } of finished) this.recent.add(bucket, packed, bucket > this.newestBucket);
      this.newestBucket = newestBucket;
      this.committedOffset = this.nextOffset;
    });
    this.#saved();
    this.#bytesSinceCommit = 0;
    this.#isCutDue = false;
    await this.#closeBuckets();
  }

  aggregate(request: AggregateRequest): Promise<AggregateReply> {
    return aggregate(this, request);
  }

  /** What `status` shows of the partition, but for what its consumer knows. */
  get status(): Omit<PartitionStatusReply, 'logNext' | 'halted' | 'haltedOffset'> {
    const { watermarkMs } = this.tracker;
    return {
      partition: this.partition,
      offset: this.nextOffset,
      committedOffset: this.committedOffset,
      watermarkMs: Number.isFinite(watermarkMs) ? watermarkMs : undefined,
      lanes: [...this.tracker.lanes.values()]
        .filter((lane) => lane.open)
        .map(({ session, lane, open, markMs, sequence }) => ({
          session: Buffer.from(session),
          lane,
          open,
          markMs: Number.isFinite(markMs) ? markMs : 0,
          sequence: Math.max(0, sequence),
        })),
      clients: [...this.tracker.clients.values()].map((client) => ({
        clientSession: Buffer.from(client.clientSession),
        tenant: client.tenant,
        floor: client.window.floor,
        highestSequence: Math.max(0, client.window.next - 1),
        frontierMs: client.frontierMs,
        latePoints: client.latePoints,
      })),
      gaps: this.gaps.map(({ offset, reason }) => ({ partition: this.partition, offset, reason })),
      series: this.table.length,
      points: this.counts.points,
      latePoints: this.counts.latePoints,
      duplicatePoints: this.counts.duplicatePoints,
      stateHashes: this.hashes.map(({ bucket, offset, hash }) => ({
        bucketMs: bucket * this.limits.bucketMs,
        offset,
        hash,
      })),
    };
  }

  /** The logical state as of `nextOffset`: equal after equal prefixes of the log, whatever was committed when. */
  stateHash(): Promise<string> {
    return this.lock.read(() => logicalHash(this));
  }

  #applyBlock(record: BlockRecord): void {
    this.#checkBlock(record);
    this.coverage.add(record.tagsOffset, this.tracker.watermarkMs);
    for (const definitions of record.definitions) {
      this.#dictionaries.define(record, definitions, (at) => {
        const { seriesId, metricId, kind } = definitions.series[at];
        return this.table.add(seriesId, metricId, kind);
      });
    }
    const mayBeLate = record.spans.some((span) => this.tracker.isLate(record.minTimeMs, this.#latenessMs(span.tenant)));
    for (const span of record.spans) this.#applySpan(record, span, mayBeLate);
  }

  /** All that could be wrong with a block, before anything of it is applied. */
  #checkBlock(record: BlockRecord): void {
    this.#dictionaries.check(record, this.tracker.skipped);
    for (const { dictionary, share } of record.spans) {
      const { maxRef } = inspectShare(share, SHARE_LIMITS);
      const defined = this.#dictionaries.sizeWith(record, dictionary);
      if (maxRef < defined || this.tracker.skipped) continue;
      throw new TidemarkError('data_loss', `ref ${maxRef} of dictionary ${dictionary}, ${defined} are defined`);
    }
  }

  #applySpan(record: BlockRecord, span: Span, mayBeLate: boolean): void {
    const points = this.#points;
    const sketches = this.#sketches;
    points.clear();
    sketches.clear();
    const summary = inspectShare(span.share, SHARE_LIMITS);
    const count = summary.points + summary.sketches;
    if (!this.tracker.isFresh(span, count)) {
      this.counts.duplicatePoints += count;
      return;
    }
    decodeShare(span.share, points, sketches);
    const dictionary = this.#dictionaries.get(record, span.dictionary);
    if (this.tracker.skipped && (dictionary.hasGaps || summary.maxRef >= dictionary.series.length)) {
      this.#dropUndefined(dictionary.series);
    }
    this.#setMapEpoch(span.mapEpoch);
    const { minTimeMs, maxTimeMs } = summary;
    this.head.append(
      dictionary.series,
      points.refs,
      points.timesMs,
      points.values,
      points.length,
      minTimeMs,
      maxTimeMs,
    );
    for (let i = 0; i < sketches.length; i++) {
      const series = dictionary.series[sketches.refs[i]];
      this.head.sketches.push({ series, timeMs: sketches.timesMs[i], payload: Uint8Array.from(sketches.payloads[i]) });
    }
    this.counts.points += points.length + sketches.length;
    if (mayBeLate) this.#countLate(span);
  }

  #countLate(span: Span): void {
    const latenessMs = this.#latenessMs(span.tenant);
    let late = 0;
    for (const { timesMs, length } of [this.#points, this.#sketches]) {
      for (let i = 0; i < length; i++) if (this.tracker.isLate(timesMs[i], latenessMs)) late++;
    }
    this.counts.latePoints += late;
    this.tracker.countLate(span, late);
  }

  /** Points whose series was only defined in a skipped record join the gap. */
  #dropUndefined(series: Uint32Array): void {
    const points = this.#points;
    let kept = 0;
    for (let i = 0; i < points.length; i++) {
      const ref = points.refs[i];
      if (ref >= series.length || series[ref] === UNDEFINED_SERIES) continue;
      points.refs[kept] = ref;
      points.timesMs[kept] = points.timesMs[i];
      points.values[kept++] = points.values[i];
    }
    this.counts.undefinedPoints += points.length - kept;
    points.length = kept;
    const sketches = this.#sketches;
    const rows = Array.from({ length: sketches.length }, (_, i) => i).filter((i) => {
      const ref = sketches.refs[i];
      return ref < series.length && series[ref] !== UNDEFINED_SERIES;
    });
    this.counts.undefinedPoints += sketches.length - rows.length;
    const copies = rows.map((i) => [sketches.refs[i], sketches.timesMs[i], sketches.payloads[i]] as const);
    sketches.clear();
    for (const [ref, timeMs, payload] of copies) sketches.push(ref, timeMs, payload);
  }

  /** Rows of one commit count as of its highest map epoch; a new epoch asks for a commit, so they hardly mix. */
  #setMapEpoch(epoch: number): void {
    if (epoch === this.head.mapEpoch) return;
    if (this.head.rows > 0) this.#isCutDue = true;
    this.head.mapEpoch = Math.max(this.head.mapEpoch, epoch);
  }

  #stepOf(watermarkMs: number): number {
    return Number.isFinite(watermarkMs) ? Math.floor(watermarkMs / this.limits.commitStepMs) : Number.NEGATIVE_INFINITY;
  }

  /**
   * Merges and hashes buckets that ended at least one commit step of watermark ago: hardly anything of them is still
   * to come, and what is becomes chunks of its own beside the merged ones.
   */
  async #closeBuckets(): Promise<void> {
    const { bucketMs, commitStepMs } = this.limits;
    const { watermarkMs } = this.tracker;
    if (!Number.isFinite(watermarkMs) || this.newestBucket < 0) return;
    const through = Math.min(this.newestBucket, Math.floor((watermarkMs - commitStepMs) / bucketMs) - 1);
    for (;;) {
      const bucket = await this.#nextBucket(this.closedBucket + 1, through);
      if (bucket === undefined) return;
      await this.#closeBucket(bucket);
    }
  }

  /** The first bucket in [from, through] that has a chunk. */
  async #nextBucket(from: number, through: number): Promise<number | undefined> {
    if (from > through) return undefined;
    const range = { from: numberKey(PREFIX.chunk, from), to: numberKey(PREFIX.chunk, through + 1), limit: 1 };
    for await (const { key } of this.keyValue.entries(range)) return readChunkKey(key).bucket;
    return undefined;
  }

  async #closeBucket(bucket: number): Promise<void> {
    const { bucketMs } = this.limits;
    const merged = await mergeBucket(this.keyValue, bucket, bucketMs, this.table, this.sequence);
    const hash: BucketHash = { bucket, offset: this.committedOffset, hash: merged.hash.hex };
    const state = this.#stateWrites({ newestBucket: this.newestBucket, closedBucket: bucket });
    await this.lock.write(async () => {
      await this.keyValue.write([...merged.writes, hashWrite(hash), ...state]);
      this.closedBucket = bucket;
      if (this.recent.get(bucket) === undefined || merged.packed === undefined) return;
      this.recent.drop(bucket);
      this.recent.add(bucket, merged.packed, true);
    });
    this.#saved();
    this.hashes.push(hash);
  }

  #stateWrites(buckets: { newestBucket: number; closedBucket: number }): KeyValueWrite[] {
    return commitWrites(this, this.#dictionaries, this.#savedTables, buckets);
  }

  #saved(): void {
    markSaved(this, this.#dictionaries);
    this.#savedTables = { series: this.table.length, metrics: this.table.metricCount };
  }
}
