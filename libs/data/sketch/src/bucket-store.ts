const NO_BUCKETS = new Float64Array(0);

/** The result of `low` for an empty store; above every key. */
export const NO_LOW = 0x7fffffff;
/** The result of `high` for an empty store; below every key. */
export const NO_HIGH = -0x80000000;

/**
 * Counts of the buckets with keys `offset` to `offset + bins.length - 1`. Once `collapsed`, bins[0] also has the counts
 * of lower keys, and neither it nor the last bin is empty: there is no slack left.
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

  /** Covers `length` keys from `offset` on; lower keys collapse into the first, and higher ones must have no counts. */
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

  /** Adds to the bucket of `key`, or to the first if that is higher. The bucket must exist. */
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

  /** True when equal keys have equal counts, for any start of the arrays. */
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
