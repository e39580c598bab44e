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
  /** Metrics of which what is stated has changed. */
  #metadata = new Set<Metric>();
  /** Writes of one small entry each, in order. */
  #small: KeyValueWrite[] = [];
  /** Keys to delete, unless they are written, by their text. */
  #removed = new Map<string, Uint8Array>();
  #dayFacts = 0;

  constructor(journal: Journal) {
    this.journal = journal;
  }

  /** The changes that a new journal, with other numbers, needs in addition to these: it replaces the keys `removed`. */
  restarted(journal: Journal, removed: Iterable<Uint8Array>): Uncommitted {
    const restarted = new Uncommitted(journal);
    restarted.#small = this.#small;
    restarted.#removed = this.#removed;
    for (const key of removed) restarted.#remove(key);
    return restarted;
  }

  /** An estimate of the bytes that a commit would write. */
  get sizeBytes(): number {
    const small = (this.#small.length + this.#removed.size + this.#metadata.size) * SMALL_WRITE_BYTES;
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

  dayExpired(metric: Metric, { day }: DaySeries): void {
    this.#remove(dayKey(metric.index, day));
  }

  metadata(metric: Metric): void {
    this.#metadata.add(metric);
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

  #remove(key: Uint8Array): void {
    this.#removed.set(textOf(key), key);
  }

  /** All changes as writes. `settle` then drops them, or, after a failure, merges them with the changes since. */
  capture(): { writes: KeyValueWrite[]; settle(isCommitted: boolean): void } {
    const journal = this.journal.capture();
    const taken = { days: this.#days, metadata: this.#metadata, small: this.#small, removed: this.#removed };
    const dayFacts = this.#dayFacts;
    this.#days = [];
    this.#metadata = new Set();
    this.#small = [];
    this.#removed = new Map();
    this.#dayFacts = 0;
    for (const { daySeries } of taken.days) daySeries.isDirty = false;
    const writes = journal.writes.concat(
      taken.days
        .filter(({ daySeries }) => !daySeries.hasExpired)
        .map(({ metric, daySeries }) => ({
          key: dayKey(metric, daySeries.day),
          value: sealValue(serializeBitmap(daySeries.bitmap)),
        })),
      [...taken.metadata].map((metric) => {
        return { key: metadataKey(metric.index), value: sealValue(encodeMetadata(metric.metadata)) };
      }),
      lastOfEachKey(taken.small),
    );
    if (taken.removed.size > 0) {
      const written = new Set(writes.map(({ key }) => textOf(key)));
      for (const [text, key] of taken.removed) if (!written.has(text)) writes.push({ key });
    }
    return {
      writes,
      settle: (isCommitted) => {
        journal.settle(isCommitted);
        if (isCommitted) return;
        this.#takeBack(taken, dayFacts);
      },
    };
  }

  #takeBack(
    taken: {
      readonly days: readonly DirtyDay[];
      readonly metadata: ReadonlySet<Metric>;
      readonly small: readonly KeyValueWrite[];
      readonly removed: ReadonlyMap<string, Uint8Array>;
    },
    dayFacts: number,
  ): void {
    for (const dirty of taken.days) {
      if (dirty.daySeries.isDirty) continue;
      dirty.daySeries.isDirty = true;
      this.#days.push(dirty);
    }
    for (const metric of taken.metadata) this.#metadata.add(metric);
    for (const [text, key] of taken.removed) this.#removed.set(text, key);
    this.#small = taken.small.concat(this.#small);
    this.#dayFacts += dayFacts;
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}

/**
 * The last write of each key, so that a batch has each key once: a key that was written and removed is only removed.
 */
function lastOfEachKey(writes: readonly KeyValueWrite[]): KeyValueWrite[] {
  const last = new Map<string, KeyValueWrite>();
  for (const write of writes) last.set(textOf(write.key), write);
  return [...last.values()];
}
