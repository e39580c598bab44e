import { Bitmap, deserializeBitmap, serializeBitmap } from '@tidemark/bitmap';
import type { KeyValueWrite } from '@tidemark/ports';
import { bucketKey, PREFIX } from './keys.ts';

/**
 * Which series have pages in which bucket. It answers where the nearest points before and after a range are, however
 * far away, without reading the buckets in between.
 */
export class SeriesActivity {
  readonly #buckets = new Map<number, Bitmap>();
  /** Buckets whose bitmaps have changed since the last commit. */
  readonly #changed = new Set<number>();

  /** Records that `series` have pages in `bucket`. */
  add(bucket: number, series: ArrayLike<number>): void {
    let bitmap = this.#buckets.get(bucket);
    if (bitmap === undefined) {
      bitmap = new Bitmap();
      this.#buckets.set(bucket, bitmap);
    }
    for (let i = 0; i < series.length; i++) if (bitmap.add(series[i])) this.#changed.add(bucket);
  }

  /** The series that have pages in `bucket`; the caller does not change it. */
  of(bucket: number): Bitmap | undefined {
    return this.#buckets.get(bucket);
  }

  /** The buckets that have a bitmap. */
  get buckets(): Iterable<number> {
    return this.#buckets.keys();
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

  /** Drops a bucket whose points were deleted. */
  drop(bucket: number): void {
    this.#buckets.delete(bucket);
    this.#changed.delete(bucket);
  }

  /** Takes over a stored bitmap. Errors: `data_loss` for damaged bytes. */
  load(bucket: number, bytes: Uint8Array): void {
    this.#buckets.set(bucket, deserializeBitmap(bytes));
  }

  /** The entries to write with the next commit, which calls `saved` when they are durable. */
  changes(): KeyValueWrite[] {
    return [...this.#changed].map((bucket) => ({
      key: bucketKey(PREFIX.activity, bucket),
      value: serializeBitmap(this.#buckets.get(bucket) ?? new Bitmap()),
    }));
  }

  saved(): void {
    this.#changed.clear();
  }
}
