import type { SeriesClass } from '@tidemark/model';
import { finishAtOnce, type KeyValueWrite, type SlicedWork } from '@tidemark/ports';
import type { Day, DayMetric } from './calendar.ts';
import type { TagCheckpoint } from './checkpoints.ts';
import { encodeDay, encodeDaySeries } from './day-values.ts';
import { ExpiredDays } from './expired-days.ts';
import type { Journal } from './journal.ts';
import { encodeMetadata } from './metadata-value.ts';
import type { DaySeries, Metric } from './metric-table.ts';
import {
  checkpointKey,
  dayKey,
  encodeGap,
  gapKey,
  metadataKey,
  PREFIX,
  type StoredGap,
  sealValue,
  unknownDayKey,
  wholeDayKey,
} from './store-layout.ts';
import type { ChangeLog } from './tag-index.ts';

/** Approximate bytes that a series of a day adds to its bitmap. */
const DAY_FACT_BYTES = 2;
const SMALL_WRITE_BYTES = 32;
/** Approximate bytes of an entry of a day, without its facts. */
const DAY_WRITE_BYTES = 16;
/** Parts of expired days that a commit deletes, at most: a day may have as many as there are metrics. */
const EXPIRED_PER_COMMIT = 4096;
/** Cost of a write, in units of the cost of a point, and the bytes of a value that cost as much as a point. */
const WRITE_COST = 16;
const BYTES_PER_COST = 16;

interface DirtyDay {
  readonly metric: number;
  readonly daySeries: DaySeries;
}

/** Changes of entries that have numbers, without those of the journal. */
interface NumberedChanges {
  readonly days: DirtyDay[];
  /** Metrics of which what is stated has changed. */
  readonly metadata: Set<Metric>;
  dayFacts: number;
}

/** Changes of entries without numbers, and deletions. */
interface OtherChanges {
  readonly wholeDays: Set<Day>;
  /** Writes of one small entry each, in order. */
  small: KeyValueWrite[];
  /** Keys to delete, unless they are written, by their text. */
  removed: Map<string, Uint8Array>;
}

function noNumbered(): NumberedChanges {
  return { days: [], metadata: new Set(), dayFacts: 0 };
}

function noOthers(): OtherChanges {
  return { wholeDays: new Set(), small: [], removed: new Map() };
}

/** Receives changes while an index with other numbers is made. */
export interface Follower {
  day(metric: Metric, whole: Day, dense: number): void;
  metadata(metric: Metric): void;
}

/** The writes of a commit, and the function to call with its outcome. */
export interface Captured {
  readonly writes: KeyValueWrite[];
  settle(isCommitted: boolean): void;
}

/** Writes by the text of their keys. */
class Writes {
  readonly #all = new Map<string, KeyValueWrite>();

  add(key: Uint8Array, value?: Uint8Array): void {
    this.#all.set(textOf(key), value === undefined ? { key } : { key, value });
  }

  has(text: string): boolean {
    return this.#all.has(text);
  }

  get all(): KeyValueWrite[] {
    return [...this.#all.values()];
  }
}

/** The changes since the last commit, as writes that update the store. */
export class Uncommitted implements ChangeLog {
  readonly journal: Journal;
  follower: Follower | undefined;
  #numbered = noNumbered();
  #others = noOthers();
  readonly #expired = new ExpiredDays();

  constructor(journal: Journal) {
    this.journal = journal;
  }

  /** The generation of the numbers in its writes. */
  get generation(): number {
    return this.journal.generation;
  }

  /** Takes over from the changes of an index with other numbers those that have none. */
  takeOthers(from: Uncommitted): void {
    const { wholeDays } = this.#others;
    this.#others = { ...from.#others, wholeDays };
    for (const [text, key] of this.#others.removed) if (key[0] === PREFIX.day) this.#others.removed.delete(text);
  }

  /** An estimate of the bytes that a commit would write. */
  get sizeBytes(): number {
    const { small, removed, wholeDays } = this.#others;
    return this.numberedBytes + (small.length + removed.size + wholeDays.size) * SMALL_WRITE_BYTES;
  }

  /** Of that, the bytes of entries with numbers. */
  get numberedBytes(): number {
    const { days, dayFacts, metadata } = this.#numbered;
    const entries = days.length * DAY_WRITE_BYTES + metadata.size * SMALL_WRITE_BYTES;
    return this.journal.uncommittedBytes + dayFacts * DAY_FACT_BYTES + entries;
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

  day(metric: Metric, daySeries: DaySeries, dense: number): void {
    this.follower?.day(metric, daySeries.whole, dense);
    this.#others.wholeDays.add(daySeries.whole);
    this.#changedDay(metric, daySeries, 1);
  }

  /** Records that a day of a metric was filled. */
  filledDay(metric: Metric, daySeries: DaySeries): void {
    this.#changedDay(metric, daySeries, daySeries.bitmap.size);
  }

  #changedDay(metric: Metric, daySeries: DaySeries, facts: number): void {
    this.#numbered.dayFacts += facts;
    if (daySeries.isDirty) return;
    daySeries.isDirty = true;
    this.#numbered.days.push({ metric: metric.index, daySeries });
  }

  /** Records that a day has other facts, or begins. */
  changedDay(day: Day): void {
    this.#others.wholeDays.add(day);
  }

  dayExpired({ number, metrics }: Day): void {
    this.remove(wholeDayKey(number));
    this.expired(number, metrics);
  }

  /** Records that parts of an expired day may be stored. */
  expired(day: number, metrics: Iterable<DayMetric>): void {
    this.#expired.add(day, metrics);
  }

  metadata(metric: Metric): void {
    this.follower?.metadata(metric);
    this.#numbered.metadata.add(metric);
  }

  unknownDay(id: Uint8Array, day: number, isKept: boolean): void {
    const key = unknownDayKey(id, day);
    this.#others.small.push(isKept ? { key, value: sealValue(new Uint8Array(0)) } : { key });
  }

  gap(offset: number, gap: StoredGap): void {
    this.#others.small.push({ key: gapKey(offset), value: encodeGap(gap) });
  }

  /** Records a checkpoint to write, and the offsets of checkpoints to delete. */
  checkpoint({ offset, hash }: TagCheckpoint, surplus: readonly number[]): void {
    this.#others.small.push({ key: checkpointKey(offset), value: sealValue(Buffer.from(hash, 'hex')) });
    for (const old of surplus) this.#others.small.push({ key: checkpointKey(old) });
  }

  /** Deletes the entry of a key with the next commit, unless that writes it. */
  remove(key: Uint8Array): void {
    this.#others.removed.set(textOf(key), key);
  }

  /**
   * All changes as writes. `settle` then drops them, or, after a failure, merges them with the changes since. It takes
   * them with its last piece: if there is a change before, the work must be given up, and has done nothing.
   */
  *captured(): SlicedWork<Captured, number> {
    const writes = new Writes();
    yield* this.#writeNumbered(writes);
    const { wholeDays, small, removed } = this.#others;
    for (const day of wholeDays) if (!day.hasExpired) writes.add(wholeDayKey(day.number), encodeDay(day));
    // A key that was written and removed is only removed.
    for (const { key, value } of small) {
      writes.add(key, value);
      yield WRITE_COST;
    }
    for (const [text, key] of removed) {
      if (!writes.has(text)) writes.add(key);
      yield WRITE_COST;
    }
    for (const key of this.#expired.take(this.generation, EXPIRED_PER_COMMIT)) {
      this.remove(key);
      if (!writes.has(textOf(key))) writes.add(key);
    }
    const numbered = this.#takeNumbered(writes);
    const others = this.#others;
    this.#others = noOthers();
    return {
      writes: writes.all,
      settle: (isCommitted) => {
        numbered(isCommitted);
        if (!isCommitted) this.#takeBackOthers(others);
      },
    };
  }

  /** Of all changes, those of entries with numbers, at once. */
  capturedNumbered(): Captured {
    const writes = new Writes();
    finishAtOnce(this.#writeNumbered(writes));
    const settle = this.#takeNumbered(writes);
    return { writes: writes.all, settle };
  }

  *#writeNumbered(writes: Writes): SlicedWork<void, number> {
    for (const { metric, daySeries } of this.#numbered.days) {
      if (daySeries.whole.hasExpired) continue;
      const value = encodeDaySeries(daySeries);
      writes.add(dayKey(this.generation, metric, daySeries.day), value);
      yield WRITE_COST + value.length / BYTES_PER_COST;
    }
    for (const metric of this.#numbered.metadata) {
      writes.add(metadataKey(this.generation, metric.index), sealValue(encodeMetadata(metric.metadata)));
      yield WRITE_COST;
    }
  }

  /** Adds the writes of the journal and takes the changes; returns what to call with the outcome. */
  #takeNumbered(writes: Writes): (isCommitted: boolean) => void {
    const journal = this.journal.capture();
    for (const { key, value } of journal.writes) writes.add(key, value);
    const taken = this.#numbered;
    this.#numbered = noNumbered();
    for (const { daySeries } of taken.days) daySeries.isDirty = false;
    return (isCommitted) => {
      journal.settle(isCommitted);
      if (!isCommitted) this.#takeBackNumbered(taken);
    };
  }

  #takeBackNumbered(taken: NumberedChanges): void {
    for (const dirty of taken.days) {
      if (dirty.daySeries.isDirty) continue;
      dirty.daySeries.isDirty = true;
      this.#numbered.days.push(dirty);
    }
    for (const metric of taken.metadata) this.#numbered.metadata.add(metric);
    this.#numbered.dayFacts += taken.dayFacts;
  }

  #takeBackOthers(taken: OtherChanges): void {
    for (const day of taken.wholeDays) this.#others.wholeDays.add(day);
    for (const [text, key] of taken.removed) this.#others.removed.set(text, key);
    this.#others.small = taken.small.concat(this.#others.small);
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
