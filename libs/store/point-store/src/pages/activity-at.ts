import type { Bitmap } from '@tidemark/bitmap';

/**
 * Which series had pages in the buckets of one moment. It answers where the nearest points before and after a range are,
 * however far away, without reading the buckets in between. What comes and goes later changes nothing.
 */
export class ActivityAt {
  readonly #buckets: ReadonlyMap<number, Bitmap>;

  constructor(buckets: ReadonlyMap<number, Bitmap>) {
    this.#buckets = new Map(buckets);
  }

  /** The series of the buckets before `bucket`, the nearest one first. */
  before(bucket: number): Bitmap[] {
    return this.#of([...this.#buckets.keys()].filter((one) => one < bucket).sort((a, b) => b - a));
  }

  /** The series of the buckets after `bucket`, the nearest one first. */
  after(bucket: number): Bitmap[] {
    return this.#of([...this.#buckets.keys()].filter((one) => one > bucket).sort((a, b) => a - b));
  }

  /** Whether `series` has pages in a bucket before `bucket`. */
  hasBefore(bucket: number, series: number): boolean {
    for (const [one, bitmap] of this.#buckets) if (one < bucket && bitmap.has(series)) return true;
    return false;
  }

  /** Whether `series` has pages in a bucket after `bucket`. */
  hasAfter(bucket: number, series: number): boolean {
    for (const [one, bitmap] of this.#buckets) if (one > bucket && bitmap.has(series)) return true;
    return false;
  }

  #of(buckets: readonly number[]): Bitmap[] {
    return buckets.flatMap((bucket) => this.#buckets.get(bucket) ?? []);
  }
}
