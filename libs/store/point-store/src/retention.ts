import { afterPrefix } from '@tidemark/bytes';
import { bucketKey, NO_BUCKET, PREFIX } from './keys.ts';
import type { PartitionStore } from './partition-state.ts';

/**
 * Max buckets that expire when a bucket closes. One would do where no clock is wrong; the second catches up after a pause. A
 * clock that is set ahead by a year must not delete a year: it costs two buckets for each one that closes meanwhile.
 */
const EXPIRED_AT_ONCE = 2;

/**
 * Returns the last bucket that has expired once the buckets that the watermark allows to close are closed: buckets whose
 * whole time is at least `retentionMs` before the watermark, the oldest first. A function of the log, as the closing is.
 */
export function expiredBucket({ buckets, limits, tracker, expiredBucket: before }: PartitionStore): number {
  const { retentionMs, bucketMs } = limits;
  if (retentionMs === 0) return before;
  const last = Math.floor((tracker.watermarkMs - retentionMs) / bucketMs) - 1;
  const due = [...buckets].filter((bucket) => bucket > before && bucket <= last).sort((a, b) => a - b);
  return due.slice(0, EXPIRED_AT_ONCE).at(-1) ?? before;
}

/** Time before which all points were deleted, ms; undefined when none were. */
export function deletedBeforeMs({ expiredBucket: last, limits }: PartitionStore): number | undefined {
  return last === NO_BUCKET ? undefined : (last + 1) * limits.bucketMs;
}

/**
 * Deletes the points of buckets that have expired. Some may be left of a deletion that a crash has interrupted. Call it when
 * the head is empty.
 */
export async function deleteExpired(store: PartitionStore): Promise<void> {
  const { buckets, head, keyValue, lock, recent, cache, activity, expiredBucket: last } = store;
  const expired = [...buckets].filter((one) => one <= last);
  if (expired.length === 0) return;
  await lock.write(async () => {
    // In this order, since a crash between two must leave no series in a bucket without pages, nor pages in no bucket. All
    // from the first key on: what no index names is found by nothing else.
    for (const prefix of [PREFIX.activity, PREFIX.page, PREFIX.pageIndex] as const) {
      await keyValue.deleteRange(bucketKey(prefix, NO_BUCKET), afterPrefix(bucketKey(prefix, last)));
    }
    // A slot that had its index entry in these would get none again.
    head.forget(expired);
    for (const bucket of expired) {
      recent.drop(bucket);
      cache.drop(bucket);
      activity.drop(bucket);
      buckets.delete(bucket);
    }
  });
}
