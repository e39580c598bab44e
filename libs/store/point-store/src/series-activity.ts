import { Bitmap, deserializeBitmap, serializeBitmap } from '@tidemark/bitmap';
import type { KeyValueWrite } from '@tidemark/ports';
import { ActivityAt } from './activity-at.ts';
import { bucketKey, PREFIX } from './keys.ts';

/** Which series have pages in which bucket. */
export class SeriesActivity {
  readonly #buckets = new Map<number, Bitmap>();
  /** Buckets whose bitmaps have changed since the last commit. */
  readonly #changed = new Set<number>();
  /** Until a bucket comes or goes. */
  #now: ActivityAt | undefined;

  /** Records that `series` have pages in `bucket`. */
  add(bucket: number, series: ArrayLike<number>): void {
    let bitmap = this.#buckets.get(bucket);
    if (bitmap === undefined) {
      bitmap = new Bitmap();
      this.#buckets.set(bucket, bitmap);
      this.#now = undefined;
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

  /** The buckets of this moment, with those of their series that there are then and later. */
  get now(): ActivityAt {
    this.#now ??= new ActivityAt(this.#buckets);
    return this.#now;
  }

  /** Drops a bucket whose points were deleted. */
  drop(bucket: number): void {
    this.#buckets.delete(bucket);
    this.#changed.delete(bucket);
    this.#now = undefined;
  }

  /** Takes over a stored bitmap. Errors: `data_loss` for damaged bytes. */
  load(bucket: number, bytes: Uint8Array): void {
    this.#buckets.set(bucket, deserializeBitmap(bytes));
    this.#now = undefined;
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
