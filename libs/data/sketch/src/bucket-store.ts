const NO_BUCKETS = new Float64Array(0);

/** What `low` says of an empty store; above every key. */
export const NO_LOW = 0x7fffffff;
/** What `high` says of an empty store; below every key. */
export const NO_HIGH = -0x80000000;

/**
 * Counts of the buckets with keys `offset` to `offset + bins.length - 1`. Once `collapsed`, bins[0] also holds what had
 * lower keys, is never empty, and neither is the last bin: there is no slack left.
 */
export class BucketStore {
  bins: Float64Array = NO_BUCKETS;
  offset = 0;
  collapsed = false;

  /** The lowest key with a count, or NO_LOW. */
  low(): number {
    const bins = this.bins;
    for (let i = 0; i < bins.length; i++) if (bins[i] !== 0) return this.offset + i;
    return NO_LOW;
  }

  /** The highest key with a count, or NO_HIGH. */
  high(): number {
    const bins = this.bins;
    for (let i = bins.length - 1; i >= 0; i--) if (bins[i] !== 0) return this.offset + i;
    return NO_HIGH;
  }

  /** Covers `length` keys from `offset` on; lower keys collapse into the first, no higher one may hold a count. */
  reshape(offset: number, length: number): void {
    if (offset === this.offset && length === this.bins.length) return;
    const old = this.bins;
    const shift = this.offset - offset;
    const bins = new Float64Array(length);
    for (let i = 0; i < old.length; i++) {
      if (old[i] !== 0) bins[Math.max(0, i + shift)] += old[i];
    }
    this.bins = bins;
    this.offset = offset;
  }

  /** Adds to the bucket of `key`, or to the first if that is higher. The key's place must exist. */
  add(key: number, count: number): void {
    this.bins[Math.max(0, key - this.offset)] += count;
  }

  copy(): BucketStore {
    const out = new BucketStore();
    out.bins = this.bins.slice();
    out.offset = this.offset;
    out.collapsed = this.collapsed;
    return out;
  }

  /** Equal counts for equal keys, wherever the arrays begin. */
  equals(other: BucketStore): boolean {
    if (this.collapsed !== other.collapsed) return false;
    const low = this.low();
    const high = this.high();
    if (low !== other.low() || high !== other.high()) return false;
    for (let key = low; key <= high; key++) {
      if (this.bins[key - this.offset] !== other.bins[key - other.offset]) return false;
    }
    return true;
  }
}
