import type { ShareSummary } from '@tidemark/columns';
import type { AggregatorStatusReply } from '@tidemark/contract';
import type { ConsumedState, LostRecords } from '@tidemark/log-consumer';
import { gapsOf, openLanes, PointLogState } from '@tidemark/point-log';
import { type BlockRecord, RECORD } from '@tidemark/point-records';
import { assert, type KeyValue, type LogRecord, TidemarkError } from '@tidemark/ports';
import { META_KEY, packMeta, unpackMeta } from './aggregator-meta.ts';

export interface AggregatorLimits {
  /** Records after which a commit is due. */
  readonly commitRecords: number;
  /** Bytes of records after which a commit is due. */
  readonly commitBytes: number;
  /** A commit is due when the watermark crosses a multiple of this, ms. */
  readonly commitStepMs: number;
}

/** Default limits. A commit writes only the changes of lanes, clients and definitions: mostly a few KiB. */
const DEFAULT_AGGREGATOR_LIMITS: AggregatorLimits = {
  commitRecords: 4096,
  commitBytes: 64 * 1024 * 1024,
  commitStepMs: 10_000,
};

export interface AggregatorPartitionOptions {
  readonly partition: number;
  /** The partition's own store; it must contain nothing else. */
  readonly keyValue: KeyValue;
  readonly limits?: Partial<AggregatorLimits>;
}

/**
 * One partition of `points` as the aggregator reads it: the open lanes and their positions, the applied batches, and so the
 * watermark at every offset. It drops, applies and halts at the same records as the point store. It only counts the points,
 * and remembers of series no more than their classes, while a lane defines them. Rollups and windows are planned: they will
 * be folded from its fresh points, and cut where this watermark passes them.
 */
export class AggregatorPartition implements ConsumedState {
  readonly #state: PointLogState;
  readonly #keyValue: KeyValue;
  readonly #limits: AggregatorLimits;
  #points = 0;
  #duplicatePoints = 0;
  #bytesSinceCommit = 0;
  #isStepDue = false;
  #isCommitting = false;

  private constructor({ partition, keyValue, limits }: AggregatorPartitionOptions) {
    this.#state = new PointLogState(partition, undefined, false);
    this.#keyValue = keyValue;
    this.#limits = { ...DEFAULT_AGGREGATOR_LIMITS, ...limits };
  }

  /**
   * Loads the committed state; reading continues at `nextOffset`. `failed_precondition` when the data is of another
   * format or another partition.
   */
  static async open(options: AggregatorPartitionOptions): Promise<AggregatorPartition> {
    const opened = new AggregatorPartition(options);
    const { partition, keyValue } = options;
    const stored = await keyValue.get(META_KEY);
    if (stored === undefined) return opened;
    const meta = unpackMeta(stored);
    if (meta.partition !== partition) {
      const message = `the data is of partition ${meta.partition}, expected ${partition}`;
      throw new TidemarkError('failed_precondition', message);
    }
    await opened.#state.load(keyValue, meta);
    opened.#points = meta.points;
    opened.#duplicatePoints = meta.duplicatePoints;
    return opened;
  }

  get nextOffset(): number {
    return this.#state.nextOffset;
  }

  get committedOffset(): number {
    return this.#state.committedOffset;
  }

  /** Lowest mark of the open lanes, ms; undefined before the first mark. */
  get watermarkMs(): number | undefined {
    const { watermarkMs } = this.#state.tracker;
    return Number.isFinite(watermarkMs) ? watermarkMs : undefined;
  }

  get wantsCommit(): boolean {
    const { commitRecords, commitBytes } = this.#limits;
    const records = this.nextOffset - this.committedOffset;
    return this.#isStepDue || records >= commitRecords || this.#bytesSinceCommit >= commitBytes;
  }

  /** Applies the record at `nextOffset`. Throws `data_loss`, and applies nothing of it, when it is invalid. */
  apply(record: LogRecord): void {
    assert(!this.#isCommitting, 'no record is applied during a commit');
    const state = this.#state;
    const judged = state.judge(record);
    if (judged !== undefined) {
      const step = this.#commitStep();
      if (judged.record.type === RECORD.block) this.#applyBlock(judged.record, judged.shares);
      state.tracker.end(judged.record, record.offset);
      if (this.#commitStep() !== step) this.#isStepDue = true;
    }
    state.nextOffset = record.offset + 1;
    this.#bytesSinceCommit += record.value.length;
  }

  /** Passes what halted the partition at `nextOffset`: the gap is permanent and shown. */
  skip(reason: string, lost: LostRecords): void {
    assert(!this.#isCommitting, 'no record is skipped during a commit');
    this.#state.skip(reason, lost);
    this.#isStepDue = true;
  }

  /** Stores all changes, with the offset, in one write. After an error call it again before a record is applied. */
  async commit(): Promise<void> {
    assert(!this.#isCommitting, 'one commit at a time');
    const state = this.#state;
    this.#isStepDue = false;
    if (state.nextOffset === state.committedOffset) return;
    this.#isCommitting = true;
    try {
      const { partition, nextOffset, tracker } = state;
      const counts = { points: this.#points, duplicatePoints: this.#duplicatePoints };
      const meta = packMeta({ partition, nextOffset, ...counts }, tracker);
      await this.#keyValue.write([{ key: META_KEY, value: meta }, ...state.changes()]);
      state.saved();
      this.#bytesSinceCommit = 0;
    } catch (error) {
      this.#isStepDue = true;
      throw error;
    } finally {
      this.#isCommitting = false;
    }
  }

  /** The partition's status, except for the fields of its consumer. */
  get status(): Omit<AggregatorStatusReply, 'logNext' | 'halted' | 'haltedOffset' | 'problem'> {
    const { partition, nextOffset, committedOffset, tracker } = this.#state;
    return {
      partition,
      offset: nextOffset,
      committedOffset,
      watermarkMs: this.watermarkMs,
      lanes: openLanes(tracker),
      gaps: gapsOf(this.#state),
      points: this.#points,
      duplicatePoints: this.#duplicatePoints,
    };
  }

  #applyBlock(record: BlockRecord, shares: readonly ShareSummary[]): void {
    const { tracker } = this.#state;
    this.#state.define(record);
    record.spans.forEach((span, i) => {
      const points = shares[i].points + shares[i].sketches;
      if (tracker.isFresh(span, points)) this.#points += points;
      else this.#duplicatePoints += points;
    });
  }

  #commitStep(): number {
    return Math.floor(this.#state.tracker.watermarkMs / this.#limits.commitStepMs);
  }
}
