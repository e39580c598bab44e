import { Bitmap } from '@tidemark/bitmap';
import { ID_BYTES, SERIES_CLASS, type SeriesClass } from '@tidemark/model';
import { lowerBound, type Page } from '@tidemark/page';
import { finishAtOnce, TidemarkError, type WorkSlice } from '@tidemark/ports';
import type { SeriesPart } from '@tidemark/segment';
import { deletedBeforeMs } from '../close/retention.ts';
import { pagesOf } from '../read/bucket-pages.ts';
import { FoundSlot } from '../read/found-slot.ts';
import { loadPartition } from '../state/partition-load.ts';
import { PartitionStore, type PartitionStoreOptions } from '../state/partition-state.ts';
import { DayPass } from './day-pass.ts';
import { SeriesOfDay } from './series-of-day.ts';

/** What is read of a day, or another range of buckets that are closed. */
export interface DayCut {
  /** Times in [fromMs, toMs), ms since 1970 in UTC. */
  readonly fromMs: number;
  readonly toMs: number;
  /**
   * Points of the records [fromOffset, offset) of `points`: the offsets of commits at cuts. The buckets were closed by the later one, so
   * that no page crosses them.
   */
  readonly fromOffset: number;
  readonly offset: number;
}

/** The points of a series on a day, in the form that segments have. */
export interface DaySeries {
  readonly seriesClass: SeriesClass;
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** At least one, ascending by map epoch. */
  readonly parts: readonly SeriesPart[];
}

/** A metric with more points is read in several passes over its pages. */
const PASS_POINTS = 4 * 2 ** 20;
/** Series of the first pass of a metric, after which their number of points is known, and of a pass at most. */
const FIRST_SERIES = 256;
const PASS_SERIES = 65_536;
/** Cost of a slot that is read, and of a point, in units of the cost of a fold. */
const SLOT_COST = 1 / 2;
const POINT_COST = 1 / 4;

/**
 * Reads the points of one day, one metric after the other, in the order of segments: by class, then id. They depend on the records
 * below the cut alone, not on commits, closes, deals and restarts.
 */
export class DayPoints {
  readonly #store: PartitionStore;
  readonly #cut: DayCut;
  readonly #passPoints: number;
  readonly #slice: WorkSlice;
  readonly #buckets: readonly number[];

  private constructor(store: PartitionStore, cut: DayCut, slice: WorkSlice, passPoints: number) {
    this.#store = store;
    this.#cut = cut;
    this.#slice = slice;
    this.#passPoints = passPoints;
    const { bucketMs } = store.limits;
    const first = Math.floor(cut.fromMs / bucketMs);
    const last = Math.ceil(cut.toMs / bucketMs) - 1;
    this.#buckets = [...store.buckets].filter((bucket) => bucket >= first && bucket <= last).sort((a, b) => a - b);
  }

  /**
   * Opens a database that nothing writes, such as a copy. `passPoints`: points that are in memory at the same time, of 16 bytes each; up
   * to twice as many, or those of one series. Errors: those of `PointPartition.open`; `failed_precondition` for a database that ends
   * before the cut, or has deleted points of the range.
   */
  static async open(
    options: PartitionStoreOptions,
    cut: DayCut,
    slice: WorkSlice,
    passPoints = PASS_POINTS,
  ): Promise<DayPoints> {
    const store = new PartitionStore(options);
    try {
      await loadPartition(store);
      checkWhole(store, cut);
      return new DayPoints(store, { ...cut, fromOffset: beforeGaps(cut.fromOffset, store) }, slice, passPoints);
    } catch (error) {
      closeStore(store);
      throw error;
    }
  }

  /** Gives back the memory of the thread that the points and pages have. */
  close(): void {
    closeStore(this.#store);
  }

  /** The series that may have points on the day, by the dense number of their metric, ascending. */
  seriesByMetric(): Map<number, Uint32Array> {
    const { table, activity } = this.#store;
    const all = new Bitmap();
    for (const bucket of this.#buckets) {
      const there = activity.of(bucket);
      if (there !== undefined) all.orInPlace(there);
    }
    const counts = new Uint32Array(table.metricCount);
    const series = all.toArray();
    for (const one of series) counts[table.metric(one)]++;
    const byMetric = new Map<number, Uint32Array>();
    const ends = new Uint32Array(counts.length);
    for (const one of series) {
      const metric = table.metric(one);
      let own = byMetric.get(metric);
      if (own === undefined) {
        own = new Uint32Array(counts[metric]);
        byMetric.set(metric, own);
      }
      own[ends[metric]++] = one;
    }
    return byMetric;
  }

  /** The id of a metric by its dense number, 16 bytes. */
  metricId(metric: number): Uint8Array {
    return this.#store.table.metricId(metric);
  }

  /**
   * Reads series of a metric, as `seriesByMetric` has them; those without a point are left out. Errors: those of the database;
   * `aborted` where a page has points of both sides of a cut.
   */
  async *read(metric: number, series: Uint32Array): AsyncGenerator<DaySeries> {
    const ordered = this.#inOrder(series);
    // Metrics differ in their points.
    let count = Math.min(FIRST_SERIES, Math.max(1, this.#passPoints));
    for (let from = 0; from < ordered.length; ) {
      const pass = new DayPass<SeriesOfDay>(ordered.subarray(from, from + count), this.#passPoints);
      await this.#read(metric, pass);
      const own = pass.series;
      const perSeries = Math.max(1, pass.points / own.length);
      for (const one of own) {
        const found = pass.take(one);
        if (found === undefined) continue;
        const parts = this.#partsOf(found, one);
        if (this.#slice.spend(found.size * POINT_COST)) await this.#slice.next();
        if (parts.length === 0) continue;
        yield { seriesClass: this.#store.table.seriesClass(one), id: this.#store.table.id(one), parts };
      }
      count = Math.min(PASS_SERIES, Math.max(1, Math.floor(this.#passPoints / perSeries)));
      from += own.length;
    }
  }

  /** By class, then id. */
  #inOrder(series: Uint32Array): Uint32Array {
    const { table } = this.#store;
    const ids = Buffer.alloc(series.length * ID_BYTES);
    for (let i = 0; i < series.length; i++) table.id(series[i]).copy(ids, i * ID_BYTES);
    const order = Uint32Array.from(series, (_, i) => i);
    order.sort((a, b) => {
      const classes = table.seriesClass(series[a]) - table.seriesClass(series[b]);
      const [atA, atB] = [a * ID_BYTES, b * ID_BYTES];
      return classes || ids.compare(ids, atB, atB + ID_BYTES, atA, atA + ID_BYTES);
    });
    return order.map((i) => series[i]);
  }

  /** Reads what the pages of the day have of the series of a pass. */
  async #read(metric: number, pass: DayPass<SeriesOfDay>): Promise<void> {
    for (const bucket of this.#buckets) {
      for await (const page of pagesOf(this.#store, bucket, metric, pass.selection, this.#slice)) {
        if (!this.#isWithin(page, bucket)) continue;
        const points = this.#add(page, pass);
        if (this.#slice.spend(page.slots * SLOT_COST + points * POINT_COST)) await this.#slice.next();
      }
    }
  }

  /** Whether a page has points of the records that are asked for. */
  #isWithin({ fromOffset: from, toOffset: to }: Page, bucket: number): boolean {
    const { fromOffset, offset } = this.#cut;
    if (from >= offset || to <= fromOffset) return false;
    if (from >= fromOffset && to <= offset) return true;
    const text = `bucket ${bucket} has a page of the offsets ${from} to ${to}, of which ${fromOffset} to ${offset} can't be read alone`;
    throw new TidemarkError('aborted', text, { bucket, offset });
  }

  #add(page: Page, pass: DayPass<SeriesOfDay>): number {
    const { table, codec } = this.#store;
    let size = 0;
    for (let slot = 0; slot < page.series.length; slot++) {
      const series = page.series[slot];
      if (!pass.has(series)) continue;
      const isSketches = table.seriesClass(series) === SERIES_CLASS.distribution;
      const added = pass.of(series, () => new SeriesOfDay(isSketches)).add(new FoundSlot(page, slot), codec);
      pass.added(added);
      size += added;
    }
    return size;
  }

  #partsOf(own: SeriesOfDay, series: number): SeriesPart[] {
    const parts = finishAtOnce(own.partsInPieces(this.#store.table.seriesClass(series)));
    return parts.flatMap((part) => partWithin(part, this.#cut) ?? []);
  }
}

/** Throws for a database that does not have all points of a cut. */
function checkWhole(store: PartitionStore, { fromMs, offset }: DayCut): void {
  const { nextOffset, partition } = store;
  const deletedMs = deletedBeforeMs(store) ?? Number.NEGATIVE_INFINITY;
  const isoOf = (ms: number) => new Date(ms).toISOString();
  if (nextOffset < offset) {
    const text = `the database of points/${partition} ends at offset ${nextOffset}, and the day closed at ${offset}`;
    throw new TidemarkError('failed_precondition', text, { partition, offset: nextOffset });
  }
  if (deletedMs > fromMs) {
    const text = `points of points/${partition} before ${isoOf(deletedMs)} were deleted: the day of ${isoOf(fromMs)} is not whole any more`;
    throw new TidemarkError('failed_precondition', `${text}; a longer store.retentionMs keeps the next ones`, {
      partition,
    });
  }
}

/**
 * Where the records begin that end at an offset or follow it: that of a gap which it is in, whose records have no points here. A
 * page of the commit after the gap begins there.
 */
function beforeGaps(fromOffset: number, { gaps }: PartitionStore): number {
  const around = gaps.find(({ offset, records }) => offset < fromOffset && fromOffset <= offset + records);
  return around?.offset ?? fromOffset;
}

/** What a part has of the range, beyond which buckets may reach. Undefined for nothing. */
function partWithin(part: SeriesPart, { fromMs, toMs }: DayCut): SeriesPart | undefined {
  const { mapEpoch, timesMs, values, sketches } = part;
  const from = lowerBound(timesMs, fromMs, 0, timesMs.length);
  const to = lowerBound(timesMs, toMs, from, timesMs.length);
  if (from === to) return undefined;
  if (from === 0 && to === timesMs.length) return part;
  return {
    ...{ mapEpoch, timesMs: timesMs.slice(from, to) },
    ...(values && { values: values.slice(from, to) }),
    ...(sketches && { sketches: sketches.slice(from, to) }),
  };
}

function closeStore({ head, recent, cache }: PartitionStore): void {
  head.close();
  recent.close();
  cache.close();
}
