import { SERIES_CLASS } from '@tidemark/model';
import { PAGE_SLOTS_LIMIT } from '@tidemark/page';
import type { SeriesIndex } from '@tidemark/point-log';

/** In place of a metric, the pages that metrics with few series share. */
export const SHARED_PAGES = 0xffff_ffff;
/** Pages of distributions hold fewer series: a sketch takes as much as a hundred values. */
const SKETCH_SLOTS = 16;
/** A metric with so many series in a bucket gets pages of its own. */
const OWN_PAGES_SERIES = 64;
/** Series for which a deal has room at least. */
const INITIAL_SERIES = 1024;

/** The slots of one page, for all commits while the deal lasts. */
export interface DealtPage {
  /** The metric of all its series, or `SHARED_PAGES`. */
  readonly metric: number;
  /** Its number in the deal. */
  readonly number: number;
  readonly series: Uint32Array;
  slots: number;
  /** The series of its newest version, which the next one mostly has, too. */
  written: Uint32Array | undefined;
}

/** The series of one metric in a page. */
export interface PageSeries {
  readonly page: Pick<DealtPage, 'metric' | 'number'>;
  readonly metric: number;
  readonly series: Uint32Array;
}

/**
 * Which slot of which page each series of a bucket has: dealt when its first point arrives, for as long as points of the
 * bucket keep coming. A later deal of the same bucket, after a restart, has pages of its own.
 */
export class SlotDeal {
  /** Number of the first commit that has pages of it: distinguishes the deals of a bucket. */
  readonly number: number;
  readonly #table: SeriesIndex;
  /**
   * By dense series: 1 + 256 · page + slot, or 0 for none. The system gives no memory to parts of a large array in which
   * nothing was written: a deal of few series among a million takes little.
   */
  slots: Int32Array;
  readonly pages: DealtPage[] = [];
  /** Slots that were dealt. */
  length = 0;
  /** By page, the metrics of the series that were dealt slots of it since `saved`. */
  readonly #changed = new Map<number, Set<number>>();
  /** The page that is being filled, of each metric with its own pages. */
  readonly #open = new Map<number, DealtPage>();
  /** Series of each metric that share pages so far. */
  readonly #few = new Map<number, number>();
  #openSketches: DealtPage | undefined;

  constructor(table: SeriesIndex, number: number) {
    this.#table = table;
    this.number = number;
    this.slots = new Int32Array(Math.max(INITIAL_SERIES, table.length));
  }

  /** Bytes for the slots that were dealt, and for pages. */
  get sizeBytes(): number {
    return 4 * this.length + this.pages.reduce((bytes, { series }) => bytes + series.byteLength, 0);
  }

  /** The slot of a series, dealt if it has none. */
  slotOf(series: number): number {
    const slot = this.findSlot(series);
    return slot === -1 ? this.#deal(series) : slot;
  }

  /** The slot of a series, or -1. */
  findSlot(series: number): number {
    return series < this.slots.length ? this.slots[series] - 1 : -1;
  }

  /** The series of each page and metric that got new ones since `saved`. */
  *changes(): Generator<PageSeries> {
    for (const [number, metrics] of this.#changed) {
      const page = this.pages[number];
      const all = page.series.subarray(0, page.slots);
      for (const metric of metrics) {
        const own = page.metric === metric ? all : all.filter((series) => this.#table.metric(series) === metric);
        yield { page, metric, series: own };
      }
    }
  }

  /** What `changes` yielded is stored. */
  saved(): void {
    this.#changed.clear();
  }

  #deal(series: number): number {
    const page = this.#pageFor(series);
    const slot = (page.number << 8) | page.slots;
    page.series[page.slots++] = series;
    if (series >= this.slots.length) {
      const grown = new Int32Array(Math.max(series + 1, 2 * this.slots.length));
      grown.set(this.slots);
      this.slots = grown;
    }
    this.slots[series] = slot + 1;
    this.length++;
    const metrics = this.#changed.get(page.number);
    const metric = this.#table.metric(series);
    if (metrics === undefined) this.#changed.set(page.number, new Set([metric]));
    else metrics.add(metric);
    return slot;
  }

  #pageFor(series: number): DealtPage {
    const metric = this.#table.metric(series);
    if (this.#table.seriesClass(series) === SERIES_CLASS.distribution) {
      const open = this.#openSketches;
      if (open !== undefined && open.slots < SKETCH_SLOTS && open.metric === metric) return open;
      this.#openSketches = this.#begin(metric, SKETCH_SLOTS);
      return this.#openSketches;
    }
    const own = this.#open.get(metric);
    if (own !== undefined) return own.slots < PAGE_SLOTS_LIMIT ? own : this.#beginOpen(metric);
    const few = this.#few.get(metric) ?? 0;
    if (few >= OWN_PAGES_SERIES) {
      this.#few.delete(metric);
      return this.#beginOpen(metric);
    }
    this.#few.set(metric, few + 1);
    const shared = this.#open.get(SHARED_PAGES);
    return shared !== undefined && shared.slots < PAGE_SLOTS_LIMIT ? shared : this.#beginOpen(SHARED_PAGES);
  }

  #beginOpen(metric: number): DealtPage {
    const page = this.#begin(metric, PAGE_SLOTS_LIMIT);
    this.#open.set(metric, page);
    return page;
  }

  #begin(metric: number, limit: number): DealtPage {
    const page: DealtPage = {
      metric,
      number: this.pages.length,
      series: new Uint32Array(limit),
      slots: 0,
      written: undefined,
    };
    this.pages.push(page);
    return page;
  }
}
