import { grown } from '@tidemark/columns';
import { BLOCK_VALUES, PAGE_SLOTS_LIMIT, type PageKernel } from '@tidemark/page';
import type { SlotDeal } from '../pages/slot-deal.ts';
import { HeadTimes } from './head-times.ts';

/** Columns of one share. */
export interface ShareColumns {
  readonly refs: Uint32Array;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly length: number;
}

const INITIAL_PAGES = 4;
/** Rows of a tile, the piece of memory in which a page's values lie: row n has the n-th point of each slot. */
const TILE_ROWS = 16;
/** Tiles of a page at most. */
const TILES = 64;
/** Points of a slot that can lie in tiles. */
const ROWS_LIMIT = TILES * TILE_ROWS;
/** Slots for which the tiles of a page are made at least: this many times some power of `WIDTH_STEP`. */
const MIN_WIDTH = 16;
/** What a wider tile leaves behind is of use to narrow ones only. */
const WIDTH_STEP = 4;
/** The share of a page's places that have to be used when it gets another tile. */
const MIN_FILL = 1 / 4;

/**
 * The points of one bucket and map epoch since the last commit. The n-th value of a slot lies in row n of its page, so
 * that what arrives together lies together. A slot that has many more points than the others of its page, or that came
 * later than its tiles, has its further values in blocks of its own. The times are shared by slots.
 */
export class HeadColumns {
  readonly mapEpoch: number;
  readonly bucket: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly deal: SlotDeal;
  readonly #kernel: PageKernel;
  /** By slot: how many points it has. */
  #counts = new Uint32Array(INITIAL_PAGES << 8);
  readonly #times: (HeadTimes | undefined)[] = [];
  /** By page and tile: its address / 8. */
  #tiles = new Uint32Array(INITIAL_PAGES * TILES);
  /** By page: values of a row, 0 before the first tile. */
  #widths = new Uint32Array(INITIAL_PAGES);
  /** Slots with values in blocks. */
  readonly #tall = new Map<number, TallColumn>();
  /** By page: 1 when some of its slots are in `#tall`. */
  #hasTall = new Uint8Array(INITIAL_PAGES);
  /** The newest times by their first one: the series of one sender begin together, and continue so. */
  readonly #byStart = new Map<number, HeadTimes>();
  /** How many different times there are, and the most that one of them has. */
  #timeClasses = 0;
  #mostTimes = 0;
  #holders = 0;
  #areCountsHeld = false;
  #isReleased = false;
  /** Packed sketches of the slots of distributions, in log order. */
  readonly sketches = new Map<number, Uint8Array[]>();

  constructor(mapEpoch: number, bucket: number, bucketMs: number, deal: SlotDeal, kernel: PageKernel) {
    this.mapEpoch = mapEpoch;
    this.bucket = bucket;
    this.fromMs = bucket * bucketMs;
    this.toMs = this.fromMs + bucketMs;
    this.deal = deal;
    this.#kernel = kernel;
  }

  /**
   * Appends points [from, to) of a share, as long as their times lie in the bucket; returns the index of the first that
   * does not.
   */
  append(dictionary: Uint32Array, share: ShareColumns, from: number, to: number): number {
    const { refs, timesMs, values } = share;
    const { fromMs, toMs } = this;
    this.#ownCounts();
    for (let i = from; i < to; i++) {
      i = this.#appendKnown(dictionary, share, i, to);
      if (i === to) break;
      const timeMs = timesMs[i];
      if (timeMs < fromMs || timeMs >= toMs) return i;
      const slot = this.#addTime(dictionary[refs[i]], timeMs);
      this.#place(slot, values[i]);
    }
    return to;
  }

  /**
   * Appends the points from `from` on whose slots continue the times that they share, and have a place for the value: nearly all.
   * Returns the index of the first other point.
   */
  #appendKnown(dictionary: Uint32Array, share: ShareColumns, from: number, to: number): number {
    const { refs, timesMs, values } = share;
    const { toMs } = this;
    const { slots } = this.deal;
    const { floats } = this.#kernel.blocks;
    const counts = this.#counts;
    const tiles = this.#tiles;
    const widths = this.#widths;
    const hasTall = this.#hasTall;
    const allTimes = this.#times;
    let known: HeadTimes | undefined;
    let knownCount = -1;
    let knownMs = 0;
    let at = from;
    while (at < to) {
      const series = dictionary[refs[at]];
      const slot = series < slots.length ? slots[series] - 1 : -1;
      if (slot < 0 || slot >= counts.length) break;
      const count = counts[slot];
      if (count === 0 || count >= ROWS_LIMIT) break;
      const timeMs = timesMs[at];
      const times = allTimes[slot];
      if (times !== known || count !== knownCount || timeMs !== knownMs) {
        if (times === undefined || timeMs >= toMs) break;
        if (count < times.length) {
          if (times.timesMs[count] !== timeMs) break;
        } else {
          if (!(timeMs > times.lastMs)) break;
          times.push(timeMs);
          this.#mostTimes = Math.max(this.#mostTimes, times.length);
        }
        known = times;
        knownCount = count;
        knownMs = timeMs;
      }
      const page = slot >> 8;
      const tile = tiles[page * TILES + (count >> 4)];
      const width = widths[page];
      const isTall = hasTall[page] === 1;
      if (tile === 0 || (slot & 255) >= width || (isTall && this.#tall.has(slot))) break;
      const first = page << 8;
      const row = tile + (count & 15) * width - first;
      counts[slot] = count + 1;
      floats[row + slot] = values[at++];
      if (isTall) continue;
      // Those that follow in the same row of this page, of which less has to be checked.
      for (; at < to && timesMs[at] === timeMs; at++) {
        const next = dictionary[refs[at]];
        const other = next < slots.length ? slots[next] - 1 : -1;
        if (other < first || other >= first + width || counts[other] !== count || allTimes[other] !== times) break;
        counts[other] = count + 1;
        floats[row + other] = values[at];
      }
    }
    return at;
  }

  appendSketch(series: number, timeMs: number, payload: Uint8Array): void {
    this.#ownCounts();
    const slot = this.#addTime(series, timeMs);
    const own = this.sketches.get(slot);
    if (own === undefined) this.sketches.set(slot, [payload]);
    else own.push(payload);
  }

  /** Bytes of the values and at most of their times, without sketches. */
  get sizeBytes(): number {
    let bytes = this.#counts.byteLength + this.#tiles.byteLength + 8 * this.#times.length;
    this.#widths.forEach((width, page) => {
      for (const tile of this.#tiles.subarray(page * TILES, (page + 1) * TILES))
        if (tile !== 0) bytes += tileBytes(width);
    });
    for (const [slot, { since }] of this.#tall) {
      bytes += Math.ceil((this.#counts[slot] - since) / BLOCK_VALUES) * 8 * (BLOCK_VALUES + 1);
    }
    return bytes + this.#timeClasses * 8 * this.#mostTimes;
  }

  /** How many different times slots have had. */
  get timeClasses(): number {
    return this.#timeClasses;
  }

  /** Points of a slot. */
  countOf(slot: number): number {
    return slot < this.#counts.length ? this.#counts[slot] : 0;
  }

  /** The times of a slot, of which it has the first `countOf`. */
  timesOf(slot: number): HeadTimes {
    const times = this.#times[slot];
    if (times === undefined) throw new Error(`slot ${slot} has no points`);
    return times;
  }

  /** Copies the first `count` values of a slot to address `to` of a kernel's memory, and up to 15 values behind them. */
  gather(slot: number, count: number, to: number, kernel = this.#kernel): void {
    kernel.reserve(to + 8 * (count + BLOCK_VALUES));
    const page = slot >> 8;
    const width = this.#widths[page];
    const tall = this.#tall.get(slot);
    const inTiles = tall === undefined ? count : Math.min(count, tall.since);
    for (let at = 0; at < inTiles; at += TILE_ROWS) {
      const value = 8 * (this.#tiles[page * TILES + (at >> 4)] + (slot & 255));
      kernel.loops.gatherRows(value, 8 * width, Math.min(TILE_ROWS, inTiles - at), to + 8 * at);
    }
    if (tall !== undefined && count > inTiles) {
      kernel.loops.gatherBlocks(tall.first, count - inTiles, to + 8 * inTiles);
    }
  }

  /**
   * Keeps the memory until `letGo`, though the points were committed. Returns how many points each slot has at this moment:
   * numbers that stay as they are.
   */
  hold(): Uint32Array {
    this.#holders++;
    this.#areCountsHeld = true;
    return this.#counts;
  }

  letGo(): void {
    this.#holders--;
    if (this.#holders === 0) this.#areCountsHeld = false;
    if (this.#isReleased && this.#holders === 0) this.#giveBack();
  }

  /** Gives the memory back as soon as no view holds it. No point is added any more. */
  release(): void {
    this.#isReleased = true;
    if (this.#holders === 0) this.#giveBack();
  }

  /** Counts in an array that no view has. */
  #ownCounts(): void {
    if (!this.#areCountsHeld) return;
    this.#counts = this.#counts.slice();
    this.#areCountsHeld = false;
  }

  #giveBack(): void {
    const { blocks } = this.#kernel;
    this.#widths.forEach((width, page) => {
      for (const tile of this.#tiles.subarray(page * TILES, (page + 1) * TILES)) {
        if (tile !== 0) blocks.release(8 * tile, tileBytes(width));
      }
    });
    for (const [slot, { first, since }] of this.#tall) {
      blocks.releaseBlocks(first, Math.ceil((this.#counts[slot] - since) / BLOCK_VALUES));
    }
  }

  /** Puts the newest value of a slot where it belongs. */
  #place(slot: number, value: number): void {
    const page = slot >> 8;
    const count = this.#counts[slot] - 1;
    let tall = this.#hasTall[page] === 1 ? this.#tall.get(slot) : undefined;
    if (tall === undefined && !this.#hasTile(slot, count)) {
      tall = { since: count, first: 0, last: 0 };
      this.#tall.set(slot, tall);
      this.#hasTall[page] = 1;
    }
    const { blocks } = this.#kernel;
    if (tall !== undefined) {
      const at = (count - tall.since) % BLOCK_VALUES;
      if (at === 0) {
        const block = blocks.takeBlock();
        if (tall.first === 0) tall.first = block;
        else blocks.link(tall.last, block);
        tall.last = block;
      }
      blocks.floats[tall.last / 8 + at] = value;
      return;
    }
    const tile = this.#tiles[page * TILES + (count >> 4)];
    blocks.floats[tile + (count & 15) * this.#widths[page] + (slot & 255)] = value;
  }

  /** Whether the page of a slot has, or now gets, the tile for its n-th value. */
  #hasTile(slot: number, n: number): boolean {
    const page = slot >> 8;
    const tile = n >> 4;
    if (tile >= TILES) return false;
    if (this.#widths[page] === 0) {
      const { slots } = this.deal.pages[page];
      this.#widths[page] = widthFor(slots);
    }
    if ((slot & 255) >= this.#widths[page] && !this.#widen(page, slot & 255)) return false;
    const width = this.#widths[page];
    const index = page * TILES + tile;
    if (this.#tiles[index] !== 0) return true;
    if (tile > 0 && this.#pointsOf(page) < MIN_FILL * tile * TILE_ROWS * this.deal.pages[page].slots) return false;
    this.#tiles[index] = this.#kernel.blocks.take(tileBytes(width)) / 8;
    return true;
  }

  /**
   * Makes the tile of a page wide enough for a slot, as long as it is the only one: while the first points of a bucket come,
   * slots are dealt one after another. Returns false if the page has more tiles.
   */
  #widen(page: number, slot: number): boolean {
    const [tile, second] = this.#tiles.subarray(page * TILES, page * TILES + 2);
    if (second !== 0) return false;
    const width = this.#widths[page];
    const wider = widthFor(slot + 1);
    this.#widths[page] = wider;
    if (tile === 0) return true;
    const { blocks } = this.#kernel;
    const to = blocks.take(tileBytes(wider)) / 8;
    const { floats } = blocks;
    for (let row = 0; row < TILE_ROWS; row++)
      floats.copyWithin(to + row * wider, tile + row * width, tile + (row + 1) * width);
    blocks.release(8 * tile, tileBytes(width));
    this.#tiles[page * TILES] = to;
    return true;
  }

  #pointsOf(page: number): number {
    let points = 0;
    for (let slot = page << 8; slot < (page << 8) + this.deal.pages[page].slots; slot++) points += this.countOf(slot);
    return points;
  }

  /** Adds the time of a point to its slot, which it returns. */
  #addTime(series: number, timeMs: number): number {
    const slot = this.deal.slotOf(series);
    if (slot >= this.#counts.length) this.#grow(slot >> 8);
    const count = this.#counts[slot];
    if (count === 0) {
      this.#join(slot, timeMs);
    } else {
      const times = this.timesOf(slot);
      if (count < times.length) {
        if (times.timesMs[count] !== timeMs) this.#leave(slot, times, count, timeMs);
      } else if (timeMs > times.lastMs || times.members === 1) {
        times.push(timeMs);
      } else {
        this.#leave(slot, times, count, timeMs);
      }
    }
    this.#counts[slot] = count + 1;
    this.#mostTimes = Math.max(this.#mostTimes, count + 1);
    return slot;
  }

  /** Gives the first point of a slot its times: those that began with it, where there are such. */
  #join(slot: number, timeMs: number): void {
    let times = this.#byStart.get(timeMs);
    if (times === undefined) {
      times = new HeadTimes();
      times.push(timeMs);
      this.#byStart.set(timeMs, times);
      this.#timeClasses++;
    }
    times.members++;
    this.#times[slot] = times;
  }

  /** A slot's next time differs from that of the others: it continues with times of its own, or of those that left so, too. */
  #leave(slot: number, times: HeadTimes, at: number, timeMs: number): void {
    let { branch } = times;
    if (branch === undefined || branch.at !== at || branch.timeMs !== timeMs) {
      const to = times.copy(at);
      to.push(timeMs);
      branch = { at, timeMs, to };
      times.branch = branch;
      this.#timeClasses++;
    }
    times.members--;
    branch.to.members++;
    this.#times[slot] = branch.to;
  }

  #grow(page: number): void {
    const pages = this.#widths.length;
    const wanted = Math.max(page + 1, 2 * pages);
    this.#counts = grown(this.#counts, new Uint32Array(wanted << 8), pages << 8);
    this.#tiles = grown(this.#tiles, new Uint32Array(wanted * TILES), pages * TILES);
    this.#widths = grown(this.#widths, new Uint32Array(wanted), pages);
    this.#hasTall = grown(this.#hasTall, new Uint8Array(wanted), pages);
  }
}

/** A column whose values from the `since`-th on lie in blocks. */
interface TallColumn {
  readonly since: number;
  first: number;
  last: number;
}

/** The width of tiles for so many slots. */
function widthFor(slots: number): number {
  let width = MIN_WIDTH;
  while (width < slots) width *= WIDTH_STEP;
  return Math.min(PAGE_SLOTS_LIMIT, width);
}

function tileBytes(width: number): number {
  return 8 * TILE_ROWS * width;
}
