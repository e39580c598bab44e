import type { Clock } from '@tidemark/ports';
import { TidemarkError } from '@tidemark/ports';
import type { GatheredSeries } from './gathered-series.ts';
import { SeriesTable } from './series-table.ts';

/** Below this number, and below half of `maxSeries`, the series that are in use are not counted: all take little memory. */
const COUNTED_FROM = 20_000;
/** Min time between two counts below half of `maxSeries`, ms. Stores remember each client session for a week. */
const COUNT_MS = 3_600_000;
/** A full table is replaced when it has at least this share of series that expired. */
const EXPIRED_SHARE = 0.1;
/** Changes of the interval of a series; the platform keeps as many. */
export const MAX_CHANGES = 64;

/**
 * The numbers of a client's series in the table of its live session. Tables and what is derived from them only grow, in
 * the client, its spool and its intake; so a table of which most series have expired is replaced, together with the
 * session. Series that are still in use get a number in the new table when they are next used.
 */
export class SeriesNumbers {
  readonly #clock: Clock;
  readonly #maxSeries: number;
  readonly #expiryMs: number;
  /** Called with a series of an older table that is used again, before it gets a number. */
  onReturn: (series: GatheredSeries) => void = () => undefined;
  #table = new SeriesTable();
  #version = 0;
  /** Monotonic ms, as of the last flush, and of the one before. */
  #nowMs: number;
  #previousMs = Number.NEGATIVE_INFINITY;
  #countedMs: number;

  constructor(clock: Clock, maxSeries: number, expiryMs: number) {
    this.#clock = clock;
    this.#maxSeries = maxSeries;
    this.#expiryMs = expiryMs;
    this.#nowMs = clock.monotonicMs();
    this.#countedMs = this.#nowMs;
  }

  get table(): SeriesTable {
    return this.#table;
  }

  /** Another one when series have other numbers than before. */
  get version(): number {
    return this.#version;
  }

  /** Returns the number of a series that is used now. Errors: `resource_exhausted` (`maxSeries`). */
  of(series: GatheredSeries): number {
    series.usedMs = this.#nowMs;
    if (series.table === this.#table) return series.number;
    if (this.#table.length >= this.#maxSeries) {
      const detail = { reason: 'too_many_series', field: 'maxSeries', limit: this.#maxSeries };
      const message = `more than ${this.#maxSeries} series (limit: maxSeries)`;
      throw new TidemarkError('resource_exhausted', message, detail);
    }
    if (series.table !== undefined) this.onReturn(series);
    series.number = this.#table.add(series.entry);
    series.table = this.#table;
    return series.number;
  }

  /**
   * Gives a series another interval, ms, and another number if it has one in this table: without one it is defined with
   * the new interval when it is next used. Returns false, and changes nothing, past `MAX_CHANGES` and `maxSeries`.
   */
  restate(series: GatheredSeries, intervalMs: number): boolean {
    const isNumbered = series.table === this.#table;
    if (series.changes >= MAX_CHANGES || (isNumbered && this.#table.length >= this.#maxSeries)) return false;
    series.changes++;
    if (!isNumbered) {
      series.entry.intervalMs = intervalMs;
      return true;
    }
    series.number = this.#table.restate(series.number, intervalMs);
    this.#version++;
    return true;
  }

  /** Returns true for a series that was not used for the expiry. */
  hasExpired(series: GatheredSeries): boolean {
    const usedMs = Math.max(series.usedMs, series.plan?.usedMs ?? Number.NEGATIVE_INFINITY);
    return usedMs < this.#previousMs && this.#nowMs - usedMs >= this.#expiryMs;
  }

  /** Marks a list of series as used. */
  used(plan: { usedMs: number }): void {
    plan.usedMs = this.#nowMs;
  }

  /** Notes the time at a flush. */
  flushed(): void {
    this.#previousMs = this.#nowMs;
    this.#nowMs = this.#clock.monotonicMs();
  }

  /** Returns true when the table should be replaced. `known` has all series of the client, some of them repeatedly. */
  isMostlyExpired(known: () => Iterable<GatheredSeries>): boolean {
    const { length } = this.#table;
    const isFull = length >= this.#maxSeries;
    const isHalfFull = length >= this.#maxSeries / 2;
    if (length < COUNTED_FROM && !isHalfFull) return false;
    // Counting visits all series, so it does not run at every flush.
    const pauseMs = isHalfFull ? this.#expiryMs / 4 : Math.max(this.#expiryMs, COUNT_MS);
    if (this.#nowMs - this.#countedMs < pauseMs) return false;
    this.#countedMs = this.#nowMs;
    const used = new Set<number>();
    for (const series of known()) {
      if (series.table === this.#table && !this.hasExpired(series)) used.add(series.number);
    }
    return used.size <= length * (isFull ? 1 - EXPIRED_SHARE : 0.5);
  }

  /** Begins an empty table. */
  replaceTable(): void {
    this.#table = new SeriesTable();
    this.#version++;
  }
}
