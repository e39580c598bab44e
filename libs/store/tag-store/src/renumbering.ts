import { Bitmap } from '@tidemark/bitmap';
import { isTidemarkError, type KeyValue, type SlicedWork, type Slicing, WorkSlice } from '@tidemark/ports';
import type { Day } from './calendar.ts';
import { Journal } from './journal.ts';
import type { DaySeries, Metric } from './metric-table.ts';
import { TagIndex } from './tag-index.ts';
import { type Captured, type Follower, Uncommitted } from './uncommitted.ts';

/** Series without a day, as a share of all and as a number, from which on a renumbering is worth its work. */
const DEAD_SHARE = 1 / 4;
const DEAD_SERIES = 1024;
/** Bytes of new entries from which on they are written: they are encoded in one piece. */
const BATCH_BYTES = 256 * 1024;
/** Cost of a piece of work, in units of the cost of a point. */
const SERIES_COST = 128;
const BITMAP_COST = 8;
/** Series of a day that are copied in one piece when they are known already. */
const COPIED_AT_ONCE = 512;

/** When series are renumbered, and in which steps. Only tests have other ones than the defaults. */
export interface RenumberingLimits {
  /** Series without a day from which on they are worth the work, if they are a quarter of all. Default 1,024. */
  readonly deadSeries?: number;
  /** Bytes of new entries from which on they are written. Default 256 KiB. */
  readonly batchBytes?: number;
}

export interface RenumberingOptions extends RenumberingLimits {
  readonly keyValue: KeyValue;
  readonly slicing: Slicing | undefined;
}

/**
 * Makes an index with the facts of another one that has only the series with a day, the metrics that have such series or are
 * stated, and their tags, all with new numbers, while records are applied to the old one and commits write it. What it makes is
 * written in batches under the next generation, which is not part of the store before a commit's state names it.
 */
export class Renumbering implements Follower {
  readonly index: TagIndex;
  readonly changes: Uncommitted;
  readonly #old: TagIndex;
  readonly #oldChanges: Uncommitted;
  readonly #options: RenumberingOptions;
  /** The work in pieces, except for the writes; returns whether it was due. */
  readonly work: SlicedWork<boolean, number>;
  /** New number + 1 by the old number; 0 for series that have none yet. */
  #numbers: Uint32Array;
  /** Index of the metric that is being copied: facts of it and of those before it are added to both indexes. */
  #copied = -1;
  /** Days of the new index that have expired meanwhile. */
  readonly #expired: Day[] = [];
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  /** Undefined until the work has ended, then whether it was due. */
  #isMade: boolean | undefined;
  #outcome: 'none' | 'made' | 'not due' = 'none';
  #bug: unknown;

  constructor(old: TagIndex, oldChanges: Uncommitted, options: RenumberingOptions) {
    this.#old = old;
    this.#oldChanges = oldChanges;
    this.#options = options;
    this.#numbers = new Uint32Array(old.series.count);
    this.index = new TagIndex(old.idHash, old.retentionDays, old.unknown);
    this.changes = new Uncommitted(new Journal(oldChanges.generation + 1));
    this.work = this.#make();
  }

  /** `made` once the new index has all facts, and `not due` when few series had no day. */
  get outcome(): 'none' | 'made' | 'not due' {
    return this.#outcome;
  }

  /**
   * Continues in the background, also after a write has failed: the caller tries again with each commit. Throws what ended it,
   * if that is a bug.
   */
  proceed(): void {
    if (this.#bug !== undefined) throw this.#bug;
    if (this.#outcome !== 'none') return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Ends the work; what was written is deleted when the store is opened again. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      const slice = new WorkSlice(this.#options.slicing, this.#stopped.signal);
      const { batchBytes = BATCH_BYTES } = this.#options;
      let isDone = this.#isMade !== undefined;
      while (!isDone) {
        const { done, value } = this.work.next();
        if (done) this.#isMade = value;
        isDone = done === true;
        if (this.changes.numberedBytes >= batchBytes) {
          await this.#write();
          slice.begin();
        } else if (!done && slice.spend(value)) await slice.next();
      }
      if (this.#isMade) await this.#write();
      this.#outcome = this.#isMade ? 'made' : 'not due';
    } catch (error) {
      if (!isTidemarkError(error)) this.#bug = error;
    }
  }

  async #write(): Promise<void> {
    const captured: Captured = this.changes.capturedNumbered();
    let isWritten = false;
    try {
      if (captured.writes.length > 0) await this.#options.keyValue.write(captured.writes);
      isWritten = true;
    } finally {
      captured.settle(isWritten);
    }
  }

  *#make(): SlicedWork<boolean, number> {
    const old = this.#old;
    const alive = new Bitmap();
    for (const { days } of old.metrics.all) {
      for (const { bitmap } of days) alive.orInPlace(bitmap);
      yield BITMAP_COST * (days.length + 1);
    }
    const dead = old.series.count - alive.size;
    const { deadSeries = DEAD_SERIES } = this.#options;
    if (dead < deadSeries || dead < old.series.count * DEAD_SHARE) return false;
    // A table that grows while it is filled is filled again, in one piece.
    this.index.series.reserve(alive.size);
    this.index.postings.reserve(Math.ceil((old.postings.lists * alive.size) / old.series.count));
    yield SERIES_COST;
    this.#oldChanges.follower = this;
    // The list grows meanwhile.
    for (let at = 0; at < old.metrics.all.length; at++) {
      this.#copied = at;
      yield* this.#copyMetric(old.metrics.all[at]);
    }
    this.#copied = Number.POSITIVE_INFINITY;
    return true;
  }

  *#copyMetric(metric: Metric): SlicedWork<void, number> {
    yield BITMAP_COST;
    if (metric.hasMetadata) this.metadata(metric);
    for (const { whole, bitmap } of [...metric.days]) {
      if (whole.hasExpired) continue;
      const copy = this.index.metric(metric.tenant, metric.name, this.changes);
      const own = this.#dayOf(copy, whole);
      let cost = 0;
      for (const dense of bitmap.toArray()) {
        const defined = this.index.series.count;
        own.bitmap.add(this.#numberOf(dense));
        cost += defined === this.index.series.count ? 1 : SERIES_COST;
        if (cost < COPIED_AT_ONCE) continue;
        yield cost;
        cost = 0;
      }
      this.changes.filledDay(copy, own);
      yield BITMAP_COST + cost;
    }
  }

  /** The new number of a series; it is defined when it has none yet. */
  #numberOf(dense: number): number {
    const known = this.#numbers[dense] ?? 0;
    return known === 0 ? this.#define(dense) : known - 1;
  }

  #define(dense: number): number {
    const { metrics, series, tags } = this.#old;
    const { tenant, name } = metrics.all[series.metric.values[dense]];
    const [from, to] = [series.tagStart.values[dense], series.tagStart.values[dense + 1]];
    const texts = Array.from(series.tags.values.subarray(from, to), (tag) => tags.tagText(tag));
    const named = { tenant, metric: name, seriesClass: series.seriesClass(dense), tags: texts };
    const number = this.index.define(series.id(dense), named, this.changes);
    if (dense >= this.#numbers.length) {
      const grown = new Uint32Array(Math.max(dense + 1, this.#numbers.length * 2));
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers[dense] = number + 1;
    return number;
  }

  #dayOf(copy: Metric, whole: Day): DaySeries {
    return copy.daySeries(this.index.calendar.dayLike(whole, this.#expired));
  }

  day(metric: Metric, whole: Day, dense: number): void {
    if (metric.index > this.#copied) return;
    const copy = this.index.metric(metric.tenant, metric.name, this.changes);
    const own = this.#dayOf(copy, whole);
    const number = this.#numberOf(dense);
    if (own.bitmap.add(number)) this.changes.day(copy, own, number);
  }

  metadata(metric: Metric): void {
    if (metric.index > this.#copied) return;
    const copy = this.index.metric(metric.tenant, metric.name, this.changes);
    copy.metadata = metric.metadata;
    this.changes.metadata(copy);
  }

  /**
   * Makes the new index and its changes those of the store, with all that the old ones have and that has no number. From then on
   * nothing may be added to the old ones.
   */
  finish(): void {
    this.#oldChanges.follower = undefined;
    const { calendar, hash } = this.index;
    calendar.takeOver(this.#old.calendar, this.#expired);
    for (const { number, metrics } of this.#expired) this.changes.expired(number, metrics);
    for (const day of calendar.all) this.changes.changedDay(day);
    hash.load(this.#old.hash.sums);
    this.changes.takeOthers(this.#oldChanges);
    this.index.hasExpired = this.#expired.length > 0;
  }
}
