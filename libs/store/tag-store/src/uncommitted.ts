import { serializeBitmap } from '@tidemark/bitmap';
import type { SeriesClass } from '@tidemark/model';
import type { KeyValueWrite } from '@tidemark/ports';
import type { TagCheckpoint } from './checkpoints.ts';
import type { Journal } from './journal.ts';
import { encodeMetadata } from './metadata-value.ts';
import type { DaySeries, Metric } from './metric-table.ts';
import {
  checkpointKey,
  dayKey,
  encodeGap,
  gapKey,
  metadataKey,
  type StoredGap,
  sealValue,
  unknownDayKey,
} from './store-layout.ts';
import type { ChangeLog } from './tag-index.ts';

/** Approximate bytes that a series of a day adds to its bitmap. */
const DAY_FACT_BYTES = 2;
const SMALL_WRITE_BYTES = 32;

interface DirtyDay {
  readonly metric: number;
  readonly daySeries: DaySeries;
}

/** The changes since the last commit, as writes that update the store. */
export class Uncommitted implements ChangeLog {
  readonly journal: Journal;
  #days: DirtyDay[] = [];
  /** Writes of one small entry each, in order. */
  #small: KeyValueWrite[] = [];
  #dayFacts = 0;

  constructor(journal: Journal) {
    this.journal = journal;
  }

  /** An estimate of the bytes that a commit would write. */
  get sizeBytes(): number {
    const small = this.#small.length * SMALL_WRITE_BYTES;
    return this.journal.uncommittedBytes + this.#dayFacts * DAY_FACT_BYTES + small;
  }

  tag(text: string): void {
    this.journal.tag(text);
  }

  metric(tenant: string, name: string): void {
    this.journal.metric(tenant, name);
  }

  series(id: Uint8Array, metric: number, seriesClass: SeriesClass, tags: readonly number[]): void {
    this.journal.series(id, metric, seriesClass, tags);
  }

  day(metric: Metric, daySeries: DaySeries): void {
    this.#dayFacts++;
    if (daySeries.isDirty) return;
    daySeries.isDirty = true;
    this.#days.push({ metric: metric.index, daySeries });
  }

  metadata(metric: Metric): void {
    this.#small.push({ key: metadataKey(metric.index), value: sealValue(encodeMetadata(metric.metadata)) });
  }

  unknownDay(id: Uint8Array, day: number, isKept: boolean): void {
    const key = unknownDayKey(id, day);
    this.#small.push(isKept ? { key, value: sealValue(new Uint8Array(0)) } : { key });
  }

  gap(offset: number, gap: StoredGap): void {
    this.#small.push({ key: gapKey(offset), value: encodeGap(gap) });
  }

  /** Records a checkpoint to write, and the offsets of checkpoints to delete. */
  checkpoint({ offset, hash }: TagCheckpoint, surplus: readonly number[]): void {
    this.#small.push({ key: checkpointKey(offset), value: sealValue(Buffer.from(hash, 'hex')) });
    for (const old of surplus) this.#small.push({ key: checkpointKey(old) });
  }

  /** All changes as writes. `settle` then drops them, or, after a failure, merges them with the changes since. */
  capture(): { writes: KeyValueWrite[]; settle(isCommitted: boolean): void } {
    const journal = this.journal.capture();
    const days = this.#days;
    const small = this.#small;
    const dayFacts = this.#dayFacts;
    this.#days = [];
    this.#small = [];
    this.#dayFacts = 0;
    for (const { daySeries } of days) daySeries.isDirty = false;
    const writes = journal.writes.concat(
      days.map(({ metric, daySeries }) => ({
        key: dayKey(metric, daySeries.day),
        value: sealValue(serializeBitmap(daySeries.bitmap)),
      })),
      lastOfEachKey(small),
    );
    return {
      writes,
      settle: (isCommitted) => {
        journal.settle(isCommitted);
        if (isCommitted) return;
        this.#takeBack(days, small, dayFacts);
      },
    };
  }

  #takeBack(days: readonly DirtyDay[], small: readonly KeyValueWrite[], dayFacts: number): void {
    for (const dirty of days) {
      if (dirty.daySeries.isDirty) continue;
      dirty.daySeries.isDirty = true;
      this.#days.push(dirty);
    }
    this.#small = small.concat(this.#small);
    this.#dayFacts += dayFacts;
  }
}

/**
 * The last write of each key, so that a batch has each key once: a key that was written and removed is only removed.
 */
function lastOfEachKey(writes: readonly KeyValueWrite[]): KeyValueWrite[] {
  const last = new Map<string, KeyValueWrite>();
  for (const write of writes) last.set(Buffer.from(write.key).toString('latin1'), write);
  return [...last.values()];
}
