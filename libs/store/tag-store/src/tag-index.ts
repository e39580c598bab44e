import type { IdHash } from '@tidemark/bytes';
import {
  changedStatement,
  type MetricChange,
  type SeriesClass,
  type SeriesName,
  type StatedSource,
} from '@tidemark/model';
import { Calendar, type Day } from './calendar.ts';
import { FactHash, METADATA, UNKNOWN_SEEN } from './fact-hash.ts';
import { metadataHash } from './metadata-value.ts';
import { type DaySeries, type Metric, MetricTable } from './metric-table.ts';
import { Postings } from './postings.ts';
import { TagDictionary } from './tag-dictionary.ts';
import { TagSeriesTable } from './tag-series-table.ts';
import { ABSENT } from './typed-list.ts';
import { UnknownDays } from './unknown-days.ts';

/** Receives every change, so that a commit can write only the changes. */
export interface ChangeLog {
  tag(text: string): void;
  metric(tenant: string, name: string): void;
  series(id: Uint8Array, metric: number, seriesClass: SeriesClass, tags: readonly number[]): void;
  /** Records that a series was added to a day of its metric. */
  day(metric: Metric, daySeries: DaySeries, dense: number): void;
  /** Records that a day has expired. */
  dayExpired(day: Day): void;
  /** Records that what is stated of a metric has changed. */
  metadata(metric: Metric): void;
  /** Records that a day of a series without a definition was added, or removed when its definition arrived. */
  unknownDay(id: Uint8Array, day: number, isKept: boolean): void;
}

/**
 * The indexes of one partition, in memory: their content is a function of the applied facts, in log order. Tags,
 * metrics and series are numbered in the order of their first facts.
 */
export class TagIndex {
  readonly tags = new TagDictionary();
  readonly calendar = new Calendar();
  readonly metrics = new MetricTable(this.calendar);
  readonly series: TagSeriesTable;
  readonly postings: Postings;
  readonly unknown: UnknownDays;
  readonly hash = new FactHash();
  /** Hash of the table of series; undefined in tests. */
  readonly idHash: IdHash | undefined;
  /** Days before the last one that are kept; 0 keeps all. */
  readonly retentionDays: number;
  /** True when days have expired since a renumbering was last considered. */
  hasExpired = false;

  constructor(idHash?: IdHash, retentionDays = 0, unknown = new UnknownDays()) {
    this.idHash = idHash;
    this.retentionDays = retentionDays;
    this.unknown = unknown;
    this.series = new TagSeriesTable(idHash);
    this.postings = new Postings(idHash?.key);
  }

  /**
   * Takes over the day of the log's time, of each record before its facts: days expire when a later one begins. Days of facts
   * do not count for that, because a series that reports weekly is seen on days to come.
   */
  began(day: number, changes: ChangeLog): void {
    const isLater = day > this.calendar.today;
    this.calendar.today = day;
    if (isLater) this.#expire(changes);
  }

  /** Adds the fact that a series with its name was seen on a day. Known facts change nothing. */
  addSeries(id: Uint8Array, name: SeriesName, day: number, changes: ChangeLog): void {
    let dense = this.series.find(id);
    if (!this.#isKnown(dense)) {
      if (dense === ABSENT) dense = this.define(id, name, changes);
      for (const earlier of this.unknown.take(id)) {
        this.hash.remove(id, earlier, UNKNOWN_SEEN);
        changes.unknownDay(id, earlier, false);
        this.#see(id, dense, earlier, changes);
      }
    }
    this.#see(id, dense, day, changes);
  }

  /**
   * Adds the fact that a series was seen on a day. Without a definition of the series, the day waits for one, and so it does
   * when all days of the series have expired: a replica that has been renumbered since does not have the definition.
   */
  addDay(id: Uint8Array, day: number, changes: ChangeLog): void {
    const dense = this.series.find(id);
    if (this.#isKnown(dense)) {
      this.#see(id, dense, day, changes);
    } else if (this.unknown.add(id, day)) {
      this.hash.add(id, day, UNKNOWN_SEEN);
      changes.unknownDay(id, day, true);
    }
  }

  /** Takes over what a source says of a metric, which need not have series yet. */
  state(tenant: string, name: string, source: StatedSource, change: MetricChange, changes: ChangeLog): void {
    const metric = this.metric(tenant, name, changes);
    if (metric.hasMetadata) this.hash.remove(metadataHash(metric), 0, METADATA);
    metric.metadata = {
      protocol: {},
      user: {},
      ...metric.metadata,
      [source]: changedStatement(metric.metadata[source], change),
    };
    this.hash.add(metadataHash(metric), 0, METADATA);
    metric.changes++;
    changes.metadata(metric);
  }

  /** The metric of a name; it is added when it does not exist. */
  metric(tenant: string, name: string, changes: ChangeLog): Metric {
    const known = this.metrics.find(tenant, name);
    if (known !== undefined) return known;
    changes.metric(tenant, name);
    return this.metrics.add(tenant, name);
  }

  /** Adds a series that is not known yet, with its metric and its tags. */
  define(id: Uint8Array, name: SeriesName, changes: ChangeLog): number {
    const metric = this.metric(name.tenant, name.metric, changes);
    const tags: number[] = [];
    for (const text of name.tags) {
      let tag = this.tags.tagId(text);
      if (tag === ABSENT) {
        tag = this.tags.add(text);
        changes.tag(text);
      }
      tags.push(tag);
    }
    changes.series(id, metric.index, name.seriesClass, tags);
    return this.admit(id, metric, name.seriesClass, tags);
  }

  /** Adds a series that is not known yet. Opening a stored partition calls it with each series. */
  admit(id: Uint8Array, metric: Metric, seriesClass: SeriesClass, tags: readonly number[]): number {
    const dense = this.series.add(id, metric.index, seriesClass, tags);
    metric.seriesCount++;
    metric.classMask |= 1 << seriesClass;
    for (const tag of tags) this.postings.add(metric.index, tag, this.tags.keyIds.values[tag], dense);
    return dense;
  }

  /** Whether a series has a definition and a day that has not expired. */
  #isKnown(dense: number): boolean {
    if (dense === ABSENT || !this.calendar.hasEverExpired) return dense !== ABSENT;
    const { days } = this.metrics.all[this.series.metric.values[dense]];
    // Most series were seen on the last day, or on the one before it.
    for (let i = days.length - 1; i >= 0; i--) if (days[i].bitmap.has(dense)) return true;
    return false;
  }

  #see(id: Uint8Array, dense: number, number: number, changes: ChangeLog): void {
    const metric = this.metrics.all[this.series.metric.values[dense]];
    const day = this.calendar.day(number);
    const daySeries = metric.daySeries(day);
    if (!daySeries.bitmap.add(dense)) return;
    metric.changes++;
    this.calendar.see(day, id, this.hash);
    changes.day(metric, daySeries, dense);
  }

  /** Drops the oldest days beyond the retention. */
  #expire(changes: ChangeLog): void {
    if (this.retentionDays === 0) return;
    for (const day of this.calendar.expire(this.retentionDays)) {
      this.hash.subtract(day.hash);
      changes.dayExpired(day);
      for (const unknown of this.unknown.takeBefore(day.number + 1)) {
        this.hash.remove(unknown.id, unknown.day, UNKNOWN_SEEN);
        changes.unknownDay(unknown.id, unknown.day, false);
      }
      this.hasExpired = true;
    }
  }
}
