import { Bitmap } from '@tidemark/bitmap';
import { ABSENT, PairMap, Uint32List } from './typed-list.ts';

/** Length beyond which a list becomes a bitmap. */
const LIST_LIMIT = 256;
const MIN_BLOCK = 4;

/**
 * The inverted index of tags: (metric, tag) → dense ids of the series that have it, ascending; and (metric, key) → the
 * metric's tags with that key. Most lists are short, so they are stored in one arena in blocks of powers of two, and a
 * list of one series in its own column; only a long list is a bitmap object.
 *
 * There are no lists per day. Each search starts from the metric's bitmap of a day, which reduces every list to the
 * series seen on that day. The result is that of one bitmap per (metric, tag, day), without a copy for each day.
 */
export class Postings {
  readonly #slots: PairMap;
  readonly #tag = new Uint32List();
  readonly #count = new Uint32List();
  /**
   * The single dense id, the start of the list's block in the arena, or the index of its bitmap; `#count` decides
   * which.
   */
  readonly #where = new Uint32List();
  /** The next slot + 1 of the same (metric, key); 0 ends the chain. */
  readonly #next = new Uint32List();
  readonly #keys: PairMap;
  /** First slot + 1 of each (metric, key). */
  readonly #first = new Uint32List();
  readonly #valueCount = new Uint32List();
  readonly #arena = new Uint32List(1024);
  /** Starts of free blocks, by the logarithm of their size. */
  readonly #free: number[][] = [];
  readonly #bitmaps: Bitmap[] = [];

  /** `key`: see `PairMap`. */
  constructor(key?: Uint8Array) {
    this.#slots = new PairMap(key);
    this.#keys = new PairMap(key);
  }

  /** Bytes without the bitmaps of long lists, of which a partition has few. */
  get sizeBytes(): number {
    const columns = [this.#tag, this.#count, this.#where, this.#next, this.#first, this.#valueCount, this.#arena];
    return [this.#slots, this.#keys, ...columns].reduce((bytes, one) => bytes + one.sizeBytes, 0);
  }

  /** Lists, one for each (metric, tag). */
  get lists(): number {
    return this.#tag.length;
  }

  /** Makes room for `count` lists in all. */
  reserve(count: number): void {
    this.#slots.reserve(count);
  }

  /** Adds a series to the list of (metric, tag); `dense` must be above all ids of the list. */
  add(metric: number, tag: number, key: number, dense: number): void {
    const slot = this.#slots.get(metric, tag);
    if (slot === ABSENT) this.#addSlot(metric, tag, key, dense);
    else this.#append(slot, dense);
  }

  #addSlot(metric: number, tag: number, key: number, dense: number): void {
    const slot = this.#tag.push(tag);
    this.#slots.put(metric, tag, slot);
    this.#count.push(1);
    this.#where.push(dense);
    let metricKey = this.#keys.get(metric, key);
    if (metricKey === ABSENT) {
      metricKey = this.#first.push(0);
      this.#valueCount.push(0);
      this.#keys.put(metric, key, metricKey);
    }
    this.#next.push(this.#first.values[metricKey]);
    this.#first.values[metricKey] = slot + 1;
    this.#valueCount.values[metricKey]++;
  }

  #append(slot: number, dense: number): void {
    const count = this.#count.values[slot]++;
    const where = this.#where.values[slot];
    if (count > LIST_LIMIT) {
      this.#bitmaps[where].add(dense);
    } else if (count === LIST_LIMIT) {
      const bitmap = new Bitmap();
      bitmap.addAll(this.#arena.values.subarray(where, where + count));
      bitmap.add(dense);
      this.#release(where, count);
      this.#where.values[slot] = this.#bitmaps.push(bitmap) - 1;
    } else if (count === 1) {
      const block = this.#allocate(MIN_BLOCK);
      this.#arena.values[block] = where;
      this.#arena.values[block + 1] = dense;
      this.#where.values[slot] = block;
    } else if (count >= MIN_BLOCK && (count & (count - 1)) === 0) {
      const block = this.#allocate(count * 2);
      this.#arena.values.copyWithin(block, where, where + count);
      this.#arena.values[block + count] = dense;
      this.#release(where, count);
      this.#where.values[slot] = block;
    } else {
      this.#arena.values[where + count] = dense;
    }
  }

  #allocate(size: number): number {
    const free = this.#free[Math.log2(size)]?.pop();
    if (free !== undefined) return free;
    this.#arena.reserve(size);
    const start = this.#arena.length;
    this.#arena.length += size;
    return start;
  }

  #release(start: number, size: number): void {
    const order = Math.log2(size);
    this.#free[order] ??= [];
    this.#free[order].push(start);
  }

  /** The slot of (metric, tag), or `ABSENT`. */
  slot(metric: number, tag: number): number {
    return this.#slots.get(metric, tag);
  }

  tagOfSlot(slot: number): number {
    return this.#tag.values[slot];
  }

  /** The number of tags with this key that the metric has ever had. */
  valueCount(metric: number, key: number): number {
    const metricKey = this.#keys.get(metric, key);
    return metricKey === ABSENT ? 0 : this.#valueCount.values[metricKey];
  }

  /** The slots of the metric's tags with this key, newest first; tags may be added meanwhile. */
  *slotsOf(metric: number, key: number): Generator<number, void> {
    const metricKey = this.#keys.get(metric, key);
    if (metricKey === ABSENT) return;
    for (let slot = this.#first.values[metricKey]; slot !== 0; slot = this.#next.values[slot - 1]) yield slot - 1;
  }

  /** The series of a slot that are in `universe`, as a new bitmap. */
  within(slot: number, universe: Bitmap): Bitmap {
    const count = this.#count.values[slot];
    if (count > LIST_LIMIT) return universe.and(this.#bitmaps[this.#where.values[slot]]);
    const found = new Bitmap();
    this.#addWithin(slot, count, universe, found);
    return found;
  }

  /** Adds the series of a slot that are in `universe` to `target`. */
  collect(slot: number, universe: Bitmap, target: Bitmap): void {
    const count = this.#count.values[slot];
    if (count > LIST_LIMIT) target.orInPlace(universe.and(this.#bitmaps[this.#where.values[slot]]));
    else this.#addWithin(slot, count, universe, target);
  }

  #addWithin(slot: number, count: number, universe: Bitmap, target: Bitmap): void {
    const where = this.#where.values[slot];
    if (count === 1) {
      if (universe.has(where)) target.add(where);
      return;
    }
    for (let i = where; i < where + count; i++) {
      const dense = this.#arena.values[i];
      if (universe.has(dense)) target.add(dense);
    }
  }
}
