import type { KeyValueWrite } from '@tidemark/ports';
import { hashSeries, overlappingSeries } from './bucket-hash.ts';
import { mergeVersions } from './bucket-merge.ts';
import { versionsOfBucket } from './bucket-pages.ts';
import type { FoundSlot } from './found-slot.ts';
import { hashVersions, VersionsReader } from './hash-versions.ts';
import { bucketKey, META_KEY, PREFIX } from './keys.ts';
import { packMeta } from './partition-meta.ts';
import { hashWrite } from './partition-save.ts';
import type { BucketHash, PartitionStore } from './partition-state.ts';
import { PointHash } from './point-hash.ts';
import { deleteExpired, expiredBucket } from './retention.ts';
import { NO_VIEWS } from './series-points.ts';

/**
 * Closes buckets that ended at least one commit step of watermark ago: merges their short pages, and records their hash.
 * Few points of them arrive later, and these become pages in addition to the merged ones.
 *
 * Call it after the commit of each cut, and when opening. A cut is the record at which the watermark crosses a step, so
 * every replica closes a bucket at the same offset, independent of its other commits.
 */
export async function closeBuckets(store: PartitionStore): Promise<void> {
  const through = closableBucket(store);
  if (through <= store.closedBucket) return;
  // Clocks that were set back open buckets again that have expired: what is left of their points depends on failures of the
  // disk, and not on the log alone.
  const from = Math.max(store.closedBucket, store.expiredBucket);
  const open = [...store.buckets].filter((bucket) => bucket > from && bucket <= through);
  for (const bucket of open.sort((a, b) => a - b)) await closeBucket(store, bucket, through);
  if (store.closedBucket < through) await writeClosed(store, { bucket: through, through }, []);
  await deleteExpired(store);
}

/**
 * Opens the buckets again that the watermark of the new era allows no longer to be closed: their points are still to come.
 * Call it at the record at which the era begins.
 */
export function reopenBuckets(store: PartitionStore): void {
  const { hashes, recent } = store;
  store.closedBucket = Math.min(store.closedBucket, closableBucket(store));
  const kept = hashes.findLastIndex(({ bucket }) => bucket <= store.closedBucket) + 1;
  hashes.splice(kept);
  // Those of the wrong time would stay the newest for long.
  recent.dropAfter(bucketOf(store));
}

/** True while a cut has not closed all of its buckets. */
export function isCloseDue(store: PartitionStore): boolean {
  return closableBucket(store) > store.closedBucket;
}

/** The last bucket that the watermark allows to close. */
function closableBucket({ limits, tracker, closedBucket }: PartitionStore): number {
  const { bucketMs, commitStepMs } = limits;
  const { watermarkMs } = tracker;
  return Number.isFinite(watermarkMs) ? Math.floor((watermarkMs - commitStepMs) / bucketMs) - 1 : closedBucket;
}

/** The bucket of the watermark. */
function bucketOf({ limits, tracker }: PartitionStore): number {
  return Math.floor(tracker.watermarkMs / limits.bucketMs);
}

async function closeBucket(store: PartitionStore, bucket: number, through: number): Promise<void> {
  const { limits, recent, cache, hashes } = store;
  const sum = new PointHash(store.codec);
  const hasDeals = (await cache.deals(bucket)).length > 1;
  const overlapping = hasDeals ? await overlappingSeries(store, bucket) : NONE;
  const together = new Map<number, FoundSlot[]>();
  let reader: VersionsReader | undefined;
  let deal: number | undefined;
  for await (const versions of versionsOfBucket(store, bucket)) {
    if (reader === undefined || versions.family.deal !== deal) reader = new VersionsReader(store.table.length);
    deal = versions.family.deal;
    const summary = reader.summary(versions);
    const merged = mergeVersions(store, versions, summary);
    // One page has all points of its series in order. Of several each may have a part of those of one time.
    const isOne = merged?.pages.length === 1;
    const pages = isOne ? merged.pages : versions.pages;
    for (const [series, slots] of hashVersions(store, pages, isOne ? NONE : summary.late, overlapping, sum)) {
      together.set(series, [...(together.get(series) ?? []), ...slots]);
    }
    if (merged === undefined) continue;
    await store.lock.write(async () => {
      await store.keyValue.write(merged.writes);
      recent.replace(versions.family, versions.number, [...merged.pages]);
      cache.replace(versions.family, versions.number, merged.pages);
    });
  }
  for (const [series, slots] of together) hashSeries(store, series, slots, NO_VIEWS, sum);
  const hash: BucketHash = { bucket, offset: store.committedOffset, hash: sum.hex };
  const surplus = hashes.slice(0, Math.max(0, hashes.length + 1 - limits.bucketHashes));
  const deletes = surplus.map((one) => ({ key: bucketKey(PREFIX.bucketHash, one.bucket) }));
  await writeClosed(store, { bucket, through }, [...deletes, hashWrite(hash)]);
  hashes.push(hash);
  hashes.splice(0, surplus.length);
}

const NONE: ReadonlySet<number> = new Set();

/** Records that a bucket has closed. With the last of a cut others expire: in one write, so that it happens once. */
async function writeClosed(
  store: PartitionStore,
  { bucket, through }: { readonly bucket: number; readonly through: number },
  writes: readonly KeyValueWrite[],
): Promise<void> {
  const expired = bucket === through ? expiredBucket(store) : store.expiredBucket;
  const place = { sequence: store.sequence, closedBucket: bucket, expiredBucket: expired };
  const meta = { key: META_KEY, value: packMeta(store, place) };
  await store.lock.write(() => store.keyValue.write([...writes, meta]));
  store.closedBucket = bucket;
  store.expiredBucket = expired;
}
