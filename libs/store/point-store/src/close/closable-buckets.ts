import type { PartitionStore } from '../state/partition-state.ts';

/**
 * True at a cut that closes buckets which no earlier one has marked: those that ended at least one commit step of watermark ago.
 * Few points of them arrive later, and these become pages in addition to the merged ones. A cut is the record at which the
 * watermark crosses a step, so every replica closes a bucket as of the same offset, independent of its other commits.
 */
export function isCloseDue(store: PartitionStore): boolean {
  return closableBucket(store) > (store.closing?.through ?? store.closedBucket);
}

/** The last bucket that the watermark allows to close. */
export function closableBucket({ limits, tracker, closedBucket }: PartitionStore): number {
  const { bucketMs, commitStepMs } = limits;
  const { watermarkMs } = tracker;
  return Number.isFinite(watermarkMs) ? Math.floor((watermarkMs - commitStepMs) / bucketMs) - 1 : closedBucket;
}

/**
 * Opens the buckets again that the watermark of the new era allows no longer to be closed: their points are still to come.
 * Call it at the record at which the era begins.
 */
export function reopenBuckets(store: PartitionStore): void {
  const { hashes, closing, recent, tracker, limits } = store;
  const closable = closableBucket(store);
  store.closedBucket = Math.min(store.closedBucket, closable);
  dropReopened(store, hashes);
  if (closing !== undefined) {
    // What remains closes as of its cut, as on a replica that had closed it before this record.
    closing.through = Math.min(closing.through, closable);
    dropReopened(store, closing.hashes);
  }
  // Those of the wrong time would stay the newest for long.
  recent.dropAfter(Math.floor(tracker.watermarkMs / limits.bucketMs));
}

/** Drops the hashes of buckets that are not closed any more, here and with the next commit. */
function dropReopened({ closedBucket, reopened }: PartitionStore, hashes: PartitionStore['hashes']): void {
  const dropped = hashes.splice(hashes.findLastIndex(({ bucket }) => bucket <= closedBucket) + 1);
  for (const { bucket } of dropped) reopened.add(bucket);
}
