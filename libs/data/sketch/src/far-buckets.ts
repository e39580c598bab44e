const INITIAL_LENGTH = 8;

/**
 * Counts of single buckets, keys ascending: those that are too far from the others for one array of all keys between.
 * `bucket-store.test.ts` covers it.
 */
export class FarBuckets {
  keys = new Int32Array(INITIAL_LENGTH);
  counts = new Float64Array(INITIAL_LENGTH);
  length = 0;

  /** Returns the index of the first key that is at least `key`. */
  indexOf(key: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.keys[middle] < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  add(key: number, count: number): void {
    const at = this.indexOf(key);
    if (at < this.length && this.keys[at] === key) {
      this.counts[at] += count;
      return;
    }
    if (this.length === this.keys.length) this.#grow();
    this.keys.copyWithin(at + 1, at, this.length);
    this.counts.copyWithin(at + 1, at, this.length);
    this.keys[at] = key;
    this.counts[at] = count;
    this.length++;
  }

  /** Removes the entries [from, to). */
  remove(from: number, to: number): void {
    if (from === to) return;
    this.keys.copyWithin(from, to, this.length);
    this.counts.copyWithin(from, to, this.length);
    this.length -= to - from;
  }

  copy(): FarBuckets {
    const out = new FarBuckets();
    out.keys = this.keys.slice();
    out.counts = this.counts.slice();
    out.length = this.length;
    return out;
  }

  #grow(): void {
    const keys = new Int32Array(this.length * 2);
    const counts = new Float64Array(this.length * 2);
    keys.set(this.keys);
    counts.set(this.counts);
    this.keys = keys;
    this.counts = counts;
  }
}
