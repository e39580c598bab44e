import type { PageKernel } from '@tidemark/page';
import type { SeriesIndex } from '@tidemark/point-log';
import { assert, TidemarkError } from '@tidemark/ports';
import { SlotDeal } from '../pages/slot-deal.ts';
import { HeadColumns, type ShareColumns } from './head-columns.ts';

/** Deals that are kept for the buckets that got points last: their points may keep coming. */
const DEALS = 16;
/** Slots of these deals at most, for each series of the partition, in addition to the newest deal. */
const SLOTS_PER_SERIES = 4;
/**
 * A head with so many points, and so many of each series, is committed: longer pages save little. Five tiles; the last rows are
 * for the record that is being applied.
 */
const FULL_POINTS = 1_500_000;
const FULL_ROWS = 76;
/** What a record may need: the next tile of each page, and the first tile of pages that it begins, by point. */
const RESERVED_PAGE_BYTES = 32 * 1024;
const RESERVED_POINT_BYTES = 128;

/** The points that were applied since the last commit, by bucket and map epoch. */
export class PageHead {
  readonly #table: SeriesIndex;
  readonly #bucketMs: number;
  readonly #kernel: PageKernel;
  #columns: HeadColumns[] = [];
  /** Of the last point. */
  #current: HeadColumns | undefined;
  /** By bucket, the one that was used last at the end. */
  readonly #deals = new Map<number, SlotDeal>();
  #sequence = 0;
  #points = 0;
  #sketchBytes = 0;
  #lacksMemory = false;
  #isClosed = false;

  constructor(table: SeriesIndex, bucketMs: number, kernel: PageKernel) {
    this.#table = table;
    this.#bucketMs = bucketMs;
    this.#kernel = kernel;
  }

  /** Number of points, numbers and sketches. */
  get points(): number {
    return this.#points;
  }

  /** The memory of more points would not be worth the longer pages, or there is none. */
  get isFull(): boolean {
    if (this.#lacksMemory) return true;
    if (this.#points < FULL_POINTS) return false;
    // Where a bucket ends the same series have slots of two.
    const slots = Math.max(...this.#columns.map(({ deal }) => deal.length));
    return this.#points >= FULL_ROWS * slots;
  }

  /** Bytes of the sketches, which the number of points does not bound. */
  get sketchBytes(): number {
    return this.#sketchBytes;
  }

  /** Bytes of the points, with their times and sketches. */
  get headBytes(): number {
    return this.#columns.reduce((bytes, one) => bytes + one.sizeBytes, this.#sketchBytes);
  }

  /** Bytes of the deals, in the way of tables without gaps: what nothing was written to takes no memory. */
  get dealBytes(): number {
    return [...this.#deals.values()].reduce((bytes, one) => bytes + one.sizeBytes, 0);
  }

  /** The columns of this moment, ascending by map epoch, then by bucket. Error: `unavailable` once the head is closed. */
  get columns(): readonly HeadColumns[] {
    if (this.#isClosed) throw new TidemarkError('unavailable', 'the store of this partition was closed');
    return [...this.#columns].sort((a, b) => a.mapEpoch - b.mapEpoch || a.bucket - b.bucket);
  }

  /**
   * Makes room for a record of so many points, which may be several shares. Throws `resource_exhausted`, and changes no point, where
   * the system gives no more memory: a commit has to make room, or one of another partition of the thread.
   */
  reserve(points: number): void {
    const pages = this.#columns.reduce((sum, { deal }) => sum + deal.pages.length, 0);
    const bytes = pages * RESERVED_PAGE_BYTES + points * RESERVED_POINT_BYTES;
    if (this.#kernel.blocks.reserve(bytes)) return;
    this.#lacksMemory = this.#points > 0;
    const text = `the system gives no more memory for points: a record of ${points} points waits for a commit`;
    throw new TidemarkError('resource_exhausted', text, { points, bytes });
  }

  /** Appends a share whose refs are looked up in `dictionary`, ref → dense number: all of them are defined. */
  append(mapEpoch: number, dictionary: Uint32Array, share: ShareColumns): void {
    const { timesMs, length } = share;
    let columns = this.#current;
    for (let at = 0; at < length; ) {
      if (columns?.mapEpoch !== mapEpoch || timesMs[at] < columns.fromMs || timesMs[at] >= columns.toMs) {
        columns = this.#columnsOf(mapEpoch, timesMs[at]);
      }
      at = columns.append(dictionary, share, at, length);
    }
    this.#current = columns;
    this.#points += length;
  }

  /** Appends a sketch. `payload` must outlive its record. */
  appendSketch(mapEpoch: number, series: number, timeMs: number, payload: Uint8Array): void {
    this.#columnsOf(mapEpoch, timeMs).appendSketch(series, timeMs, payload);
    this.#points++;
    this.#sketchBytes += payload.length;
  }

  /** Removes the points; the deals remain. `sequence` is that of the commit that has them. */
  clear(sequence: number): void {
    for (const columns of this.#columns) columns.release();
    this.#columns = [];
    this.#current = undefined;
    this.#points = 0;
    this.#sketchBytes = 0;
    this.#lacksMemory = false;
    this.#sequence = sequence;
    this.#forgetDeals();
  }

  /** Forgets which slots the series of these buckets have: their pages were deleted. Later points get new ones. */
  forget(buckets: Iterable<number>): void {
    assert(this.#columns.length === 0, 'no points of the deals wait for a commit');
    for (const bucket of buckets) this.#deals.delete(bucket);
  }

  #forgetDeals(): void {
    let left = SLOTS_PER_SERIES * this.#table.length;
    for (const [i, [bucket, deal]] of [...this.#deals].reverse().entries()) {
      left -= deal.length;
      if (i >= DEALS || (i > 0 && left < 0)) this.#deals.delete(bucket);
    }
  }

  /** Gives the memory of the thread back that the points have, once no view holds it. No point is appended any more. */
  close(): void {
    for (const columns of this.#columns) columns.release();
    this.#columns = [];
    this.#current = undefined;
    this.#isClosed = true;
  }

  #columnsOf(mapEpoch: number, timeMs: number): HeadColumns {
    assert(!this.#isClosed, 'no point is appended to a closed head');
    const bucket = Math.floor(timeMs / this.#bucketMs);
    const known = this.#columns.find((one) => one.bucket === bucket && one.mapEpoch === mapEpoch);
    if (known !== undefined) return known;
    const deal = this.#deals.get(bucket) ?? new SlotDeal(this.#table, this.#sequence + 1);
    // The last one again.
    this.#deals.delete(bucket);
    this.#deals.set(bucket, deal);
    const columns = new HeadColumns(mapEpoch, bucket, this.#bucketMs, deal, this.#kernel);
    this.#columns.push(columns);
    return columns;
  }
}
