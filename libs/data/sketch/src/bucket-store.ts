import { FarBuckets } from './far-buckets.ts';
import { MAX_BUCKETS, MAX_POSITIVE_BUCKETS } from './sketch-limits.ts';

const NO_BUCKETS = new Float64Array(0);

/** The result of `low` for an empty store; above every key. */
export const NO_LOW = 0x7fffffff;
/** The result of `high` for an empty store; below every key. */
export const NO_HIGH = -0x80000000;
/** The floor of a store that has not collapsed; below every key. */
export const NO_FLOOR = -0x80000000;

/** Keys of the array. It bounds its memory; keys further away are counted one by one. */
const WINDOW_KEYS = MAX_POSITIVE_BUCKETS;
/** Far buckets at which a sketch collapses its stores before it is read. */
const FAR_BUCKETS = 2 * MAX_BUCKETS;
/** Min spare buckets on either side of the array's range; while there are enough, a share of the range is added. */
const MIN_SLACK = 8;

/**
 * Counts by key. The keys `offset` to `offset + bins.length - 1` are in an array. A key that is too far from those for
 * one array is in a list, so that one absurd value does not cost the others their buckets. Where the array is depends
 * on the order of the calls; the counts of the keys do not.
 */
export class BucketStore {
  bins: Float64Array = NO_BUCKETS;
  offset = 0;
  /** The key that also has the counts of all lower keys, once buckets were collapsed; otherwise NO_FLOOR. */
  floor = NO_FLOOR;
  #far: FarBuckets | undefined = undefined;

  get collapsed(): boolean {
    return this.floor !== NO_FLOOR;
  }

  /** At least the number of buckets with a count; found without reading them. */
  get reserved(): number {
    return this.bins.length + (this.#far?.length ?? 0);
  }

  /** True when the list of far buckets must be shortened by `keepHighest`. */
  get isFull(): boolean {
    return this.#far !== undefined && this.#far.length >= FAR_BUCKETS;
  }

  /** Number of buckets with a count. */
  size(): number {
    let size = this.#far?.length ?? 0;
    for (let i = 0; i < this.bins.length; i++) if (this.bins[i] !== 0) size++;
    return size;
  }

  total(): number {
    let total = 0;
    for (let i = 0; i < this.bins.length; i++) total += this.bins[i];
    const far = this.#far;
    if (far !== undefined) for (let i = 0; i < far.length; i++) total += far.counts[i];
    return total;
  }

  /** The lowest key with a count, or NO_LOW. */
  low(): number {
    const far = this.#far;
    const low = this.#lowInWindow();
    return far === undefined || far.length === 0 ? low : Math.min(low, far.keys[0]);
  }

  /** The highest key with a count, or NO_HIGH. */
  high(): number {
    const far = this.#far;
    const high = this.#highInWindow();
    return far === undefined || far.length === 0 ? high : Math.max(high, far.keys[far.length - 1]);
  }

  /** Calls `visit` for each bucket with a count, keys ascending. */
  each(visit: (key: number, count: number) => void): void {
    const far = this.#far;
    const farBelow = far === undefined ? 0 : far.indexOf(this.offset);
    if (far !== undefined) for (let i = 0; i < farBelow; i++) visit(far.keys[i], far.counts[i]);
    for (let i = 0; i < this.bins.length; i++) if (this.bins[i] !== 0) visit(this.offset + i, this.bins[i]);
    if (far !== undefined) for (let i = farBelow; i < far.length; i++) visit(far.keys[i], far.counts[i]);
  }

  /** Returns the key of the value at a 0-based index, keys ascending; NO_HIGH from `total` on. */
  keyAt(index: number): number {
    let rest = index;
    const far = this.#far;
    const farBelow = far === undefined ? 0 : far.indexOf(this.offset);
    if (far !== undefined) {
      for (let i = 0; i < farBelow; i++) {
        rest -= far.counts[i];
        if (rest < 0) return far.keys[i];
      }
    }
    for (let i = 0; i < this.bins.length; i++) {
      rest -= this.bins[i];
      if (rest < 0) return this.offset + i;
    }
    if (far !== undefined) {
      for (let i = farBelow; i < far.length; i++) {
        rest -= far.counts[i];
        if (rest < 0) return far.keys[i];
      }
    }
    return NO_HIGH;
  }

  add(key: number, count: number): void {
    const kept = Math.max(key, this.floor);
    const at = kept - this.offset;
    if (at >= 0 && at < this.bins.length) this.bins[at] += count;
    else if (this.cover(kept, kept)) this.bins[kept - this.offset] += count;
    else this.#farther(kept, count);
  }

  /** Extends the array by these keys; false when it would be too long, and then nothing changes. */
  cover(low: number, high: number): boolean {
    if (low >= this.offset && high < this.offset + this.bins.length) return true;
    const from = Math.max(this.floor, Math.min(this.#lowInWindow(), low));
    const to = Math.max(this.#highInWindow(), high);
    const span = to - from + 1;
    if (span > WINDOW_KEYS) return false;
    const slack = Math.max(MIN_SLACK, span >> 2);
    if (span + 2 * slack > WINDOW_KEYS) this.#reshape(from, span);
    else {
      // Values are counted into the array without a check of the floor, so no spare bucket is below it.
      const start = Math.max(this.floor, from - slack);
      this.#reshape(start, to + slack - start + 1);
    }
    return true;
  }

  /** Adds the counts of `keys[from]` to `keys[to - 1]`, which ascend; with `isCollapsed` the first is their floor. */
  addAll(keys: Int32Array, counts: Float64Array, from: number, to: number, isCollapsed: boolean): void {
    if (from === to) return;
    if (isCollapsed) this.raiseFloor(keys[from]);
    if (keys[from] >= this.floor && this.cover(keys[from], keys[to - 1])) {
      const { bins, offset } = this;
      for (let i = from; i < to; i++) bins[keys[i] - offset] += counts[i];
    } else {
      for (let i = from; i < to; i++) this.add(keys[i], counts[i]);
    }
  }

  merge(other: BucketStore): void {
    if (other.collapsed) this.raiseFloor(other.floor);
    const low = other.low();
    if (low === NO_LOW) return;
    if (low >= this.floor) this.cover(low, other.high());
    other.each((key, count) => this.add(key, count));
  }

  /** Counts all keys below `floor` as `floor` from now on. */
  raiseFloor(floor: number): void {
    if (floor <= this.floor) return;
    if (this.low() >= floor && this.offset >= floor) {
      this.floor = floor;
      return;
    }
    const old = this.copy();
    this.#empty();
    this.floor = floor;
    if (old.low() === NO_LOW) return;
    this.cover(Math.max(floor, old.low()), Math.max(floor, old.high()));
    old.each((key, count) => this.add(key, count));
  }

  /** Collapses the lowest buckets into one, so that `limit` have a count. The result depends on the counts alone. */
  keepHighest(limit: number): void {
    let surplus = this.size() - limit;
    if (surplus <= 0) return;
    let floor = NO_FLOOR;
    this.each((key) => {
      if (surplus-- === 0) floor = key;
    });
    this.raiseFloor(floor);
  }

  copy(): BucketStore {
    const out = new BucketStore();
    out.bins = this.bins.slice();
    out.offset = this.offset;
    out.floor = this.floor;
    out.#far = this.#far?.copy();
    return out;
  }

  /** True when equal keys have equal counts. */
  equals(other: BucketStore): boolean {
    if (this.floor !== other.floor || this.size() !== other.size()) return false;
    const keys: number[] = [];
    const counts: number[] = [];
    this.each((key, count) => {
      keys.push(key);
      counts.push(count);
    });
    let at = 0;
    let same = true;
    other.each((key, count) => {
      if (keys[at] !== key || counts[at] !== count) same = false;
      at++;
    });
    return same;
  }

  #lowInWindow(): number {
    const bins = this.bins;
    for (let i = 0; i < bins.length; i++) if (bins[i] !== 0) return this.offset + i;
    return NO_LOW;
  }

  #highInWindow(): number {
    const bins = this.bins;
    for (let i = bins.length - 1; i >= 0; i--) if (bins[i] !== 0) return this.offset + i;
    return NO_HIGH;
  }

  #farther(key: number, count: number): void {
    this.#far ??= new FarBuckets();
    this.#far.add(key, count);
  }

  #empty(): void {
    this.bins = NO_BUCKETS;
    this.offset = 0;
    this.#far = undefined;
  }

  /** Moves the array to these keys, which include all that have a count in it, and takes the far ones among them in. */
  #reshape(offset: number, length: number): void {
    const old = this.bins;
    const shift = this.offset - offset;
    const bins = new Float64Array(length);
    for (let i = 0; i < old.length; i++) if (old[i] !== 0) bins[i + shift] += old[i];
    this.bins = bins;
    this.offset = offset;
    const far = this.#far;
    if (far === undefined) return;
    const from = far.indexOf(offset);
    const to = far.indexOf(offset + length);
    for (let i = from; i < to; i++) bins[far.keys[i] - offset] += far.counts[i];
    far.remove(from, to);
  }
}
