import { afterPrefix } from '@tidemark/bytes';
import { bucketKey, dealKey, NO_BUCKET, PREFIX } from '../keys.ts';
import type { PartitionStore } from '../state/partition-state.ts';

/**
 * Max buckets that expire when a bucket closes. One would do where no clock is wrong; the second catches up after a pause. A
 * clock that is set ahead by a year must not delete a year: it costs two buckets for each one that closes meanwhile.
 */
const EXPIRED_AT_ONCE = 2;

/**
 * Returns the last bucket that has expired once a cut closes buckets: those whose whole time is at least `retentionMs` before
 * the watermark, the oldest first. `buckets` have pages with the cut's commit. A function of the log, as the closing is.
 */
export function expiredBucket(
  { limits, tracker, expiredBucket: before }: PartitionStore,
  buckets: Iterable<number>,
): number {
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
 * Forgets the buckets that have expired, whose pages will be deleted. Call it when the head is empty, after the commit that has
 * deleted their bitmaps: no answer needs their pages any more, and points that arrive later get pages of their own.
 */
export function forgetExpired({ buckets, head, recent, cache, activity, expiredBucket: last }: PartitionStore): void {
  const expired = [...buckets].filter((one) => one <= last);
  // A slot that has its index entry in these would get none again.
  head.forget(expired);
  for (const bucket of expired) {
    recent.drop(bucket);
    cache.drop(bucket);
    activity.drop(bucket);
    buckets.delete(bucket);
  }
}

/**
 * Deletes the pages, the times records and the index of buckets that have expired, of all deals up to `sequence`: the commit that
 * has forgotten them. Later points have later deals. `write` does a write while nothing reads the pages, or throws to end the work.
 */
export async function deleteExpired(
  store: PartitionStore,
  sequence: number,
  write: (work: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const { buckets, keyValue, cache, expiredBucket: last } = store;
  if (last === NO_BUCKET) return;
  // The index last, since a crash between two must leave no pages in no bucket. All from the first key on: what no index names is
  // found by nothing else.
  for (const prefix of [PREFIX.page, PREFIX.times, PREFIX.pageIndex] as const) {
    let from = bucketKey(prefix, NO_BUCKET);
    let before = NO_BUCKET;
    for (let isDone = false; !isDone; ) {
      await write(async () => {
        // Points have arrived for it since, or are arriving.
        const next = [...buckets].filter((one) => one >= before && one <= last).sort((a, b) => a - b)[0];
        isDone = next === undefined;
        await keyValue.deleteRange(
          from,
          isDone ? afterPrefix(bucketKey(prefix, last)) : dealKey(prefix, next, sequence + 1),
        );
        if (isDone) return;
        cache.drop(next);
        from = bucketKey(prefix, next + 1);
        before = next + 1;
      });
    }
  }
}
