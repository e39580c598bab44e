import { Bitmap, deserializeBitmap, serializeBitmap } from '@tidemark/bitmap';
import type { KeyValueWrite } from '@tidemark/ports';
import { bucketKey, PREFIX } from '../keys.ts';
import { ActivityAt } from './activity-at.ts';

/** Which series have pages in which bucket. */
export class SeriesActivity {
  readonly #buckets = new Map<number, Bitmap>();
  /** In place of these, those of the commit under way: a query finds no pages of it, so it must not see them. */
  readonly #pending = new Map<number, Bitmap>();
  /** Until any of it changes. */
  #now: ActivityAt | undefined;

  /** Records that `series` will have pages in `bucket`. Nothing else sees it before `saved`. */
  add(bucket: number, series: Uint32Array): void {
    let bitmap = this.#pending.get(bucket);
    if (bitmap === undefined) {
      const known = this.#buckets.get(bucket);
      if (known !== undefined && series.every((one) => known.has(one))) return;
      bitmap = known?.clone() ?? new Bitmap();
      this.#pending.set(bucket, bitmap);
    }
    bitmap.addAll(series);
  }

  /** The series that have pages in `bucket`; the caller does not change it. */
  of(bucket: number): Bitmap | undefined {
    return this.#buckets.get(bucket);
  }

  /** The buckets that have a bitmap. */
  get buckets(): Iterable<number> {
    return this.#buckets.keys();
  }

  /** What holds at this moment, and stays when more is added or dropped. */
  get now(): ActivityAt {
    this.#now ??= new ActivityAt(this.#buckets);
    return this.#now;
  }

  /** Drops a bucket whose points were deleted. */
  drop(bucket: number): void {
    this.#buckets.delete(bucket);
    this.#pending.delete(bucket);
    this.#now = undefined;
  }

  /** Takes over a stored bitmap. Errors: `data_loss` for damaged bytes. */
  load(bucket: number, bytes: Uint8Array): void {
    this.#buckets.set(bucket, deserializeBitmap(bytes));
    this.#now = undefined;
  }

  /** The entries to write with the next commit, which calls `saved` when they are durable. */
  changes(): KeyValueWrite[] {
    return [...this.#pending].map(([bucket, bitmap]) => ({
      key: bucketKey(PREFIX.activity, bucket),
      value: serializeBitmap(bitmap),
    }));
  }

  /** The pages of what was added can be read. */
  saved(): void {
    if (this.#pending.size > 0) this.#now = undefined;
    for (const [bucket, bitmap] of this.#pending) this.#buckets.set(bucket, bitmap);
    this.#pending.clear();
  }
}
