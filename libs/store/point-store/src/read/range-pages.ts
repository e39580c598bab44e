import { Bitmap } from '@tidemark/bitmap';
import { SERIES_COST } from '@tidemark/fold';
import { SERIES_CLASS } from '@tidemark/model';
import type { Page, TimesRecord } from '@tidemark/page';
import type { IntervalsAt } from '@tidemark/point-log';
import { type SlicedWork, TidemarkError, type WorkSlice } from '@tidemark/ports';
import type { HeadView } from '../head/head-view.ts';
import type { ActivityAt } from '../pages/activity-at.ts';
import { Selection } from '../series/selection.ts';
import type { PartitionStore } from '../state/partition-state.ts';
import { type AggregatePlan, checkPoints } from './aggregate-plan.ts';
import { pagesOf } from './bucket-pages.ts';
import { FoundSlot } from './found-slot.ts';
import { PageStack } from './page-stack.ts';
import { SlotLists } from './slot-lists.ts';
import type { Timeline } from './timeline.ts';
import { Timelines } from './timelines.ts';

/** Series whose times are checked in one piece. */
const PIECE = 64;

/** What is to be found: the range of the plan with so many points of context, by the intervals of one moment. */
interface RangeQuestion {
  readonly plan: AggregatePlan;
  readonly context: number;
  readonly intervals: IntervalsAt;
}

/**
 * Finds the pages of the selected series that a range needs: those that touch it and, however far away, those of the
 * nearest `context` points on each side of it. Nothing is decoded but headers and times.
 */
export class RangePages {
  readonly #store: PartitionStore;
  readonly #plan: AggregatePlan;
  readonly #context: number;
  readonly #intervals: IntervalsAt;
  readonly #activity: ActivityAt;
  readonly #slice: WorkSlice;
  readonly #stacks: PageStack[] = [];
  /** By ordinal of the selection. */
  readonly #lists: SlotLists;
  readonly #timelines: Timelines;
  /** The buckets from the first to the last that were read whole, for series that were not looked up further. */
  readonly #firstBucket: number;
  readonly #lastBucket: number;
  /** By series, the outermost bucket that was read for it. */
  readonly #oldest = new Map<number, number>();
  readonly #newest = new Map<number, number>();
  /** The series of the buckets on each side of those that were read whole, once they were asked for. */
  #older: readonly Bitmap[] | undefined;
  #newer: readonly Bitmap[] | undefined;
  #points = 0;
  /** Times records of pages that were found, and the bytes of all. */
  readonly #records = new Set<TimesRecord>();
  #bytes = 0;

  /** The caller holds the store's lock. */
  constructor(store: PartitionStore, { plan, context, intervals }: RangeQuestion, slice: WorkSlice) {
    this.#store = store;
    this.#plan = plan;
    this.#context = context;
    this.#intervals = intervals;
    // Of what is in pages now: some may be deleted while these are folded, and are not what a series never had.
    this.#activity = store.activity.now;
    this.#slice = slice;
    this.#lists = new SlotLists(plan.selection.size + 1);
    this.#timelines = new Timelines({ table: store.table, intervals }, this.#stacks, this.#lists, (series) => {
      return { fromMs: plan.fromMs, toMs: plan.toMs, context, neededSinceMs: this.neededSinceMs(series) };
    });
    this.#firstBucket = Math.floor(plan.fromMs / store.limits.bucketMs);
    this.#lastBucket = Math.floor((plan.toMs - 1) / store.limits.bucketMs);
  }

  /** Reads buckets until every series has its context, or no more points. The caller holds the store's lock. */
  async find(): Promise<void> {
    const buckets = [...this.#store.buckets].sort((a, b) => a - b);
    const { selection } = this.#plan;
    for (const bucket of buckets) {
      if (bucket < this.#firstBucket || bucket > this.#lastBucket) continue;
      await this.#readBucket(bucket, selection);
    }
    if (this.#context === 0) return;
    const { bucketMs } = this.#store.limits;
    const older = buckets.filter((bucket) => bucket < this.#firstBucket).reverse();
    const hasOlder = (series: number, bucket: number) =>
      this.#countBefore(series, this.#plan.fromMs) >= this.#context && bucket * bucketMs <= this.neededSinceMs(series);
    await this.#extend(older, this.#firstBucket, hasOlder, this.#oldest);
    const newer = buckets.filter((bucket) => bucket > this.#lastBucket);
    const hasNewer = (series: number) => this.#countFrom(series, this.#plan.toMs) >= this.#context;
    await this.#extend(newer, this.#lastBucket, hasNewer, this.#newest);
  }

  /** Counts points in RAM too. Throws `resource_exhausted` when the range has more points than the plan allows. */
  checkPoints(inRam: number): void {
    checkPoints(this.#plan, this.#points + inRam);
  }

  /** The slots of a series that was selected, after `find`, that the answer depends on. */
  of(series: number): readonly FoundSlot[] {
    return this.timelineOf(series).pages.map(({ entry, stack, index }) => {
      return new FoundSlot(stack.pages[index], this.slotOf(series, entry));
    });
  }

  /** The times of a series that was selected, after `find`. */
  timelineOf(series: number): Timeline {
    return this.#timelines.of(series, this.#plan.selection.ordinal(series));
  }

  /** The slot of a series in its timeline's pages of that entry. */
  slotOf(series: number, entry: number): number {
    let at = this.#lists.first(this.#plan.selection.ordinal(series));
    for (let i = 0; i < entry; i++) at = this.#lists.next(at);
    return this.#lists.slotOf(at);
  }

  #countBefore(series: number, timeMs: number): number {
    const lists = this.#lists;
    let count = 0;
    for (let at = lists.first(this.#plan.selection.ordinal(series)); at >= 0; at = lists.next(at)) {
      const stack = this.#stacks[lists.stackOf(at)];
      count += stack.countBefore(stack.pages[0].classOf(lists.slotOf(at)), timeMs);
    }
    return count;
  }

  #countFrom(series: number, timeMs: number): number {
    const lists = this.#lists;
    let count = 0;
    for (let at = lists.first(this.#plan.selection.ordinal(series)); at >= 0; at = lists.next(at)) {
      const stack = this.#stacks[lists.stackOf(at)];
      const timeClass = stack.pages[0].classOf(lists.slotOf(at));
      count += stack.countOf(timeClass) - stack.countBefore(timeClass, timeMs);
    }
    return count;
  }

  /** The views of the head on which the answer depends, after `find`. */
  *needed(views: readonly HeadView[]): SlicedWork<readonly HeadView[], number> {
    let { fromMs, toMs } = this.#plan;
    const isWithin = (view: HeadView) => view.toMs > fromMs && view.fromMs < toMs;
    if (this.#context === 0 || views.every(isWithin)) return views.filter(isWithin);
    const { series } = this.#plan.selection;
    for (let i = 0; i < series.length; i++) {
      const { sinceMs, untilMs } = this.timelineOf(series[i]);
      fromMs = Math.min(fromMs, sinceMs);
      toMs = Math.max(toMs, untilMs + 1);
      if ((i + 1) % PIECE === 0) yield PIECE * SERIES_COST;
    }
    return views.filter(isWithin);
  }

  /** From when on amounts of a series can reach into the range by the intervals that are stated of it and its metric. */
  neededSinceMs(series: number): number {
    const { fromMs, intervalMs } = this.#plan;
    if (this.#store.table.seriesClass(series) === SERIES_CLASS.reading) return fromMs;
    const { sinceMs, intervalsMs } = this.#intervals.of(series);
    const isStatedFromStart = sinceMs[0] === Number.NEGATIVE_INFINITY;
    const ofMetricMs = isStatedFromStart ? fromMs : fromMs - intervalMs;
    return intervalsMs.reduce((ms, one) => Math.min(ms, fromMs - one), ofMetricMs);
  }

  /** Whether a series has points before the range that are not in the slots of `of`. */
  hasOlder(series: number, timeline = this.timelineOf(series)): boolean {
    if (timeline.leavesOlder) return true;
    const activity = this.#activity;
    const oldest = this.#oldest.get(series);
    if (oldest !== undefined) return activity.hasBefore(oldest, series);
    this.#older ??= activity.before(this.#firstBucket);
    return this.#older.some((there) => there.has(series));
  }

  /** Whether a series has points after the range that are not in the slots of `of`. */
  hasNewer(series: number, timeline = this.timelineOf(series)): boolean {
    if (timeline.leavesNewer) return true;
    const activity = this.#activity;
    const newest = this.#newest.get(series);
    if (newest !== undefined) return activity.hasAfter(newest, series);
    this.#newer ??= activity.after(this.#lastBucket);
    return this.#newer.some((there) => there.has(series));
  }

  /** Reads one bucket after the other for the series that lack context, as far as they have points there. */
  async #extend(
    buckets: readonly number[],
    readBucket: number,
    isEnough: (series: number, bucket: number) => boolean,
    reached: Map<number, number>,
  ): Promise<void> {
    if (buckets.length === 0) return;
    const lacking = new Bitmap();
    for (const series of this.#plan.selection.series) {
      if (!isEnough(series, readBucket)) lacking.add(series);
      if (this.#slice.spend(1)) await this.#slice.next();
    }
    for (const bucket of buckets) {
      if (lacking.isEmpty) return;
      const there = this.#store.activity.of(bucket)?.and(lacking).toArray() ?? [];
      if (there.length === 0) continue;
      await this.#readBucket(bucket, new Selection(there));
      const satisfied = new Bitmap();
      for (const series of there) {
        reached.set(series, bucket);
        if (isEnough(series, bucket)) satisfied.add(series);
        if (this.#slice.spend(1)) await this.#slice.next();
      }
      lacking.andNotInPlace(satisfied);
    }
  }

  async #readBucket(bucket: number, selection: Selection): Promise<void> {
    const { metric } = this.#plan;
    let stack: PageStack | undefined;
    for await (const page of pagesOf(this.#store, bucket, metric, selection, this.#slice)) {
      if (stack?.accepts(page) !== true) stack = this.#begin(page, selection);
      const { fromMs, toMs } = this.#plan;
      this.#points += stack.pointsWithin(fromMs, toMs);
      checkPoints(this.#plan, this.#points);
      this.#checkBytes(page);
      if (this.#slice.spend(SERIES_COST + page.slots)) await this.#slice.next();
    }
  }

  /** Counts the bytes of a page and of its times records, which stay in memory until the query ends. */
  #checkBytes({ bytes, records }: Page): void {
    const { readBytes } = this.#store.limits;
    this.#bytes += bytes.length;
    for (const record of records) {
      if (this.#records.has(record)) continue;
      this.#records.add(record);
      this.#bytes += record.bytes.length;
    }
    if (this.#bytes <= readBytes) return;
    const text = `the query reads more than ${readBytes} bytes of pages of one partition (limit: store.readBytes)`;
    throw new TidemarkError('resource_exhausted', `${text}; ask for fewer series or a shorter time`, {
      limitBytes: readBytes,
    });
  }

  /** Begins a stack with a page. */
  #begin(page: Page, selection: Selection): PageStack {
    const number = this.#stacks.length;
    const stack = new PageStack(page, selection);
    this.#stacks.push(stack);
    const { series } = page;
    const { selection: all } = this.#plan;
    for (let slot = 0; slot < series.length; slot++) {
      if (selection.has(series[slot])) this.#lists.add(all.ordinal(series[slot]), number, slot);
    }
    return stack;
  }
}
