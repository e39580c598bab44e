import { PAGE_TIMES_LIMIT, type PageSource, type SharedTimes, type TimesWriter } from '@tidemark/page';
import type { SeriesIndex } from '@tidemark/point-log';
import { assert } from '@tidemark/ports';
import type { PageCodec } from '../pages/page-codec.ts';
import { PageParts } from '../pages/page-parts.ts';
import type { DealtPage } from '../pages/slot-deal.ts';
import { compactPoints, sortSketches } from '../series/resolve.ts';
import { SeriesSketches } from '../series/series-columns.ts';
import type { HeadColumns } from './head-columns.ts';
import type { HeadTimes, OrderedTimes } from './head-times.ts';

/** With so many different times pages refer also to those that are regular, which take four bytes in each page otherwise. */
const MANY_CLASSES = 16;

/** A page of the points of a commit. */
export interface FlushedPage {
  readonly dealt: DealtPage;
  /** Numbers the pages of one dealt page and commit: 0, or more where a slot has more points than a page holds. */
  readonly part: number;
  readonly bytes: Buffer;
}

/** Encodes columns of the head into pages. */
export class PageFlusher {
  readonly #codec: PageCodec;
  readonly #parts: PageParts;
  readonly #table: SeriesIndex;
  /** The times of the last slot, and their class in the page. */
  #lastTimes: HeadTimes | undefined;
  #lastCount = 0;
  #lastClass = 0;
  #times: TimesWriter | undefined;
  /** The points have few different times: regular ones are as short as a reference. */
  #areFew = true;

  constructor(codec: PageCodec, table: SeriesIndex) {
    this.#codec = codec;
    this.#parts = new PageParts(codec.writer);
    this.#table = table;
  }

  /**
   * The pages of all points of one bucket and map epoch; `source` says where they come from. Times that several series have, if they
   * are not regular or there are many, go to `times`, whose records are complete after the last page.
   */
  *flush(columns: HeadColumns, source: PageSource, times: TimesWriter): Generator<FlushedPage> {
    this.#parts.clear();
    this.#times = times;
    this.#areFew = columns.timeClasses < MANY_CLASSES;
    for (const dealt of byMetricSize(columns.deal.pages)) {
      this.#lastTimes = undefined;
      for (let i = 0; i < dealt.slots; i++) {
        const slot = (dealt.number << 8) | i;
        const count = columns.countOf(slot);
        if (count > 0) this.#addSlot(columns, slot, dealt.series[i], count);
      }
      let part = 0;
      for (const bytes of this.#parts.finish(source)) yield { dealt, part: part++, bytes };
    }
  }

  #addSlot(columns: HeadColumns, slot: number, series: number, count: number): void {
    const { writer } = this.#codec;
    const sketches = columns.sketches.get(slot);
    const times = columns.timesOf(slot);
    if (sketches !== undefined) {
      const own = new SeriesSketches(count);
      for (let k = 0; k < count; k++) own.push(times.timesMs[k], sketches[k]);
      sortSketches(own);
      this.#parts.addSketches(series, own);
    } else if (count > PAGE_TIMES_LIMIT) {
      this.#addResolved(columns, slot, series, count);
    } else if (times.isAscending) {
      columns.gather(slot, count, writer.columnAt);
      writer.addColumn(series, this.#classOf(times, count), count);
    } else {
      const ordered = times.ordered(count);
      if (ordered.areDistinct) this.#addOrdered(columns, slot, series, ordered, times.members > 1);
      else this.#addResolved(columns, slot, series, count);
    }
  }

  /** Adds a slot with late times, which nothing has to be resolved of. */
  #addOrdered(
    columns: HeadColumns,
    slot: number,
    series: number,
    { times, order }: OrderedTimes,
    areShared: boolean,
  ): void {
    const { kernel, writer } = this.#codec;
    const count = order.length;
    columns.gather(slot, count, writer.freeAt);
    const { floats } = kernel;
    const from = writer.freeAt / 8;
    const to = writer.columnAt / 8;
    for (let i = 0; i < count; i++) floats[to + i] = floats[from + order[i]];
    const timeClass = areShared ? this.#addShared(times) : writer.times.add(times.timesMs, 0, count);
    writer.addColumn(series, timeClass, count);
  }

  #classOf(times: HeadTimes, count: number): number {
    if (times === this.#lastTimes && count === this.#lastCount) return this.#lastClass;
    this.#lastTimes = times;
    this.#lastCount = count;
    this.#lastClass = this.#addClass(times, count);
    return this.#lastClass;
  }

  #addClass(times: HeadTimes, count: number): number {
    const { timesMs } = times;
    const classes = this.#codec.writer.times;
    if (times.members > 1 && !(times.isRegular && this.#areFew)) return this.#addShared(times.shared(count));
    if (times.isRegular) return classes.addRegular(timesMs[0], count > 1 ? timesMs[1] - timesMs[0] : 0, count);
    return classes.add(timesMs, 0, count);
  }

  #addShared(times: SharedTimes): number {
    assert(this.#times !== undefined, 'a flush has begun');
    return this.#codec.writer.times.addShared(times, this.#times.placeOf(times));
  }

  #addResolved(columns: HeadColumns, slot: number, series: number, count: number): void {
    const { kernel, writer } = this.#codec;
    const at = writer.freeAt;
    columns.gather(slot, count, at);
    const values = kernel.floats.slice(at / 8, at / 8 + count);
    const timesMs = columns.timesOf(slot).timesMs.slice(0, count);
    const length = compactPoints(this.#table.seriesClass(series), timesMs, values, 0, count);
    this.#parts.addPoints(series, { timesMs, values, length });
  }
}

/**
 * The pages of the metrics with the most series first. Records have times in the order in which they are needed first, and so those of a
 * page of all hosts are together; pages of some hosts have a part of them.
 */
function byMetricSize(pages: readonly DealtPage[]): readonly DealtPage[] {
  const slots = new Map<number, number>();
  for (const page of pages) slots.set(page.metric, (slots.get(page.metric) ?? 0) + page.slots);
  return pages.toSorted((a, b) => (slots.get(b.metric) ?? 0) - (slots.get(a.metric) ?? 0));
}
