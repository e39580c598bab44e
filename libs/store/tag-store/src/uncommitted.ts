import type { SeriesClass } from '@tidemark/model';
import type { KeyValueWrite, SlicedWork } from '@tidemark/ports';
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
/** Parts of expired days that a commit deletes, at most: a day may have as many as there are metrics. */
const EXPIRED_PER_COMMIT = 4096;
/** Cost of a write, in units of the cost of a point, and the bytes of a value that cost as much as a point. */
const WRITE_COST = 16;
const BYTES_PER_COST = 16;

interface DirtyDay {
  readonly metric: number;
  readonly daySeries: DaySeries;
}

/** What a commit takes. */
interface Changes {
  readonly days: DirtyDay[];
  readonly wholeDays: Set<Day>;
  /** Metrics of which what is stated has changed. */
  readonly metadata: Set<Metric>;
  /** Writes of one small entry each, in order. */
  small: KeyValueWrite[];
  /** Keys to delete, unless they are written, by their text. */
  removed: Map<string, Uint8Array>;
  dayFacts: number;
}

function noChanges(): Changes {
  return { days: [], wholeDays: new Set(), metadata: new Set(), small: [], removed: new Map(), dayFacts: 0 };
}

/** The writes of a commit, and the function to call with its outcome. */
export interface Captured {
  readonly writes: KeyValueWrite[];
  settle(isCommitted: boolean): void;
}

/** The changes since the last commit, as writes that update the store. */
export class Uncommitted implements ChangeLog {
  readonly journal: Journal;
  #changes = noChanges();
  readonly #expired = new ExpiredDays();

  constructor(journal: Journal) {
    this.journal = journal;
  }

  /** The changes that an index with other numbers has in common with these, and its journal. */
  restarted(journal: Journal): Uncommitted {
    const restarted = new Uncommitted(journal);
    restarted.#changes.small = [...this.#changes.small];
    restarted.#changes.removed = new Map(this.#changes.removed);
    return restarted;
  }

  /** An estimate of the bytes that a commit would write. */
  get sizeBytes(): number {
    const small =
      (this.#changes.small.length +
        this.#changes.removed.size +
        this.#changes.metadata.size +
        this.#changes.wholeDays.size) *
      SMALL_WRITE_BYTES;
    return this.journal.uncommittedBytes + this.#changes.dayFacts * DAY_FACT_BYTES + small;
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
    this.#changes.dayFacts++;
    this.#changes.wholeDays.add(daySeries.whole);
    if (daySeries.isDirty) return;
    daySeries.isDirty = true;
    this.#changes.days.push({ metric: metric.index, daySeries });
  }

  /** Records that a day has other facts, or begins. */
  changedDay(day: Day): void {
    this.#changes.wholeDays.add(day);
  }

  dayExpired({ number, metrics }: Day): void {
    this.remove(wholeDayKey(number));
    this.expired(number, metrics);
  }

  /** Records that parts of an expired day may be stored. */
  expired(day: number, metrics: Iterable<DayMetric>): void {
    this.#expired.add(day, metrics);
  }

  /** Keys of all parts of expired days that may be stored. */
  expiredKeys(): Iterable<Uint8Array> {
    return this.#expired.all();
  }

  metadata(metric: Metric): void {
    this.#changes.metadata.add(metric);
  }

  unknownDay(id: Uint8Array, day: number, isKept: boolean): void {
    const key = unknownDayKey(id, day);
    this.#changes.small.push(isKept ? { key, value: sealValue(new Uint8Array(0)) } : { key });
  }

  gap(offset: number, gap: StoredGap): void {
    this.#changes.small.push({ key: gapKey(offset), value: encodeGap(gap) });
  }

  /** Records a checkpoint to write, and the offsets of checkpoints to delete. */
  checkpoint({ offset, hash }: TagCheckpoint, surplus: readonly number[]): void {
    this.#changes.small.push({ key: checkpointKey(offset), value: sealValue(Buffer.from(hash, 'hex')) });
    for (const old of surplus) this.#changes.small.push({ key: checkpointKey(old) });
  }

  /** Deletes the entry of a key with the next commit, unless that writes it. */
  remove(key: Uint8Array): void {
    this.#changes.removed.set(textOf(key), key);
  }

  /**
   * All changes as writes. `settle` then drops them, or, after a failure, merges them with the changes since. It takes
   * them with its last piece: if there is a change before, the work must be given up, and has done nothing.
   */
  *captured(): SlicedWork<Captured, number> {
    const writes = new Map<string, KeyValueWrite>();
    const write = (key: Uint8Array, value?: Uint8Array) => {
      writes.set(textOf(key), value === undefined ? { key } : { key, value });
    };
    for (const { metric, daySeries } of this.#changes.days) {
      if (daySeries.whole.hasExpired) continue;
      const value = encodeDaySeries(daySeries);
      write(dayKey(metric, daySeries.day), value);
      yield WRITE_COST + value.length / BYTES_PER_COST;
    }
    for (const day of this.#changes.wholeDays) if (!day.hasExpired) write(wholeDayKey(day.number), encodeDay(day));
    for (const metric of this.#changes.metadata) {
      write(metadataKey(metric.index), sealValue(encodeMetadata(metric.metadata)));
      yield WRITE_COST;
    }
    // A key that was written and removed is only removed.
    for (const { key, value } of this.#changes.small) {
      write(key, value);
      yield WRITE_COST;
    }
    for (const [text, key] of this.#changes.removed) {
      if (key[0] !== PREFIX.journal && !writes.has(text)) write(key);
      yield WRITE_COST;
    }
    const journal = this.journal.capture();
    for (const key of this.#changes.removed.values()) if (key[0] === PREFIX.journal) write(key);
    for (const { key, value } of journal.writes) write(key, value);
    for (const key of this.#expired.take(EXPIRED_PER_COMMIT)) {
      this.remove(key);
      if (!writes.has(textOf(key))) write(key);
    }
    const taken = this.#take();
    return {
      writes: [...writes.values()],
      settle: (isCommitted) => {
        journal.settle(isCommitted);
        if (!isCommitted) this.#takeBack(taken);
      },
    };
  }

  #take(): Changes {
    const taken = this.#changes;
    for (const { daySeries } of taken.days) daySeries.isDirty = false;
    this.#changes = noChanges();
    return taken;
  }

  #takeBack(taken: Changes): void {
    const changes = this.#changes;
    for (const dirty of taken.days) {
      if (dirty.daySeries.isDirty) continue;
      dirty.daySeries.isDirty = true;
      changes.days.push(dirty);
    }
    for (const day of taken.wholeDays) changes.wholeDays.add(day);
    for (const metric of taken.metadata) changes.metadata.add(metric);
    for (const [text, key] of taken.removed) changes.removed.set(text, key);
    changes.small = taken.small.concat(changes.small);
    changes.dayFacts += taken.dayFacts;
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
