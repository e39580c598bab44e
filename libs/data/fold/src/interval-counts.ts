/** The share of the series whose reporting intervals the usual one covers. */
const USUAL_SHARE = 0.9;

/** How many series have which reporting interval. */
export class IntervalCounts {
  readonly #series = new Map<number, number>();
  #total = 0;

  /** Counts a series, or several of one interval; 0 where it is not known. */
  add(intervalMs: number, series = 1): void {
    if (intervalMs === 0) return;
    this.#series.set(intervalMs, (this.#series.get(intervalMs) ?? 0) + series);
    this.#total += series;
  }

  /** The longest interval, ms; 0 when none is known. */
  get longestMs(): number {
    return Math.max(0, ...this.#series.keys());
  }

  /** The shortest interval that nine tenths of the series do not exceed, ms; 0 when none is known. */
  get usualMs(): number {
    let left = Math.ceil(this.#total * USUAL_SHARE);
    for (const intervalMs of [...this.#series.keys()].sort((a, b) => a - b)) {
      left -= this.#series.get(intervalMs) ?? 0;
      if (left <= 0) return intervalMs;
    }
    return 0;
  }
}
