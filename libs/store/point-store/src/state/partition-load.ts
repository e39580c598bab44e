import { afterPrefix, ByteReader, toHex } from '@tidemark/bytes';
import { TidemarkError } from '@tidemark/ports';
import { DayMarks } from '../days/day-marks.ts';
import { bucketKey, bucketOfKey, CLOSING_KEY, META_KEY, NO_BUCKET, PREFIX } from '../keys.ts';
import { type ClosingState, unpackClosing } from './bucket-closing.ts';
import { unpackMeta } from './partition-meta.ts';
import type { PartitionStore } from './partition-state.ts';

const HASH_BYTES = 16;

/** Loads the stored state into a new partition. `failed_precondition` for data of another partition or format. */
export async function loadPartition(store: PartitionStore): Promise<void> {
  const { keyValue } = store;
  const bytes = await keyValue.get(META_KEY);
  if (bytes === undefined) return;
  const meta = unpackMeta(bytes);
  checkOwner(store, meta.partition, meta.bucketMs);
  await store.load(keyValue, meta);
  store.sequence = meta.sequence;
  store.head.clear(meta.sequence);
  Object.assign(store, await loadClosing(store));
  store.expiredBucket = meta.expiredBucket;
  store.coverage = meta.coverage;
  const { points, latePoints, duplicatePoints, undefinedPoints } = meta;
  Object.assign(store.counts, { points, latePoints, duplicatePoints, undefinedPoints });
  const from = Uint8Array.of(PREFIX.bucketHash);
  for await (const { key, value } of keyValue.entries({ from, to: afterPrefix(from) })) {
    const reader = new ByteReader(value, 'bucket hash');
    const offset = reader.varint();
    const bucket = bucketOfKey(key);
    // An era that began opened this bucket again. It gets another hash when it closes.
    if (bucket > store.closedBucket) {
      store.reopened.add(bucket);
      continue;
    }
    const { closing, hashes } = store;
    const own = closing !== undefined && offset >= closing.offset ? closing.hashes : hashes;
    own.push({ bucket, offset, hash: toHex(reader.bytes(HASH_BYTES)) });
  }
  const activity = Uint8Array.of(PREFIX.activity);
  for await (const { key, value } of keyValue.entries({ from: activity, to: afterPrefix(activity) })) {
    store.activity.load(bucketOfKey(key), value);
  }
  await loadBuckets(store);
  store.days = await DayMarks.load(keyValue);
  checkActivity(store);
}

async function loadClosing({ keyValue }: PartitionStore): Promise<ClosingState> {
  const bytes = await keyValue.get(CLOSING_KEY);
  if (bytes === undefined)
    throw new TidemarkError('data_loss', 'the point store does not say which buckets are closed');
  return unpackClosing(bytes);
}

/** A search for the nearest points follows the bitmaps, and would not end where they name pages that do not exist. */
function checkActivity({ activity, buckets }: PartitionStore): void {
  for (const bucket of activity.buckets) {
    if (buckets.has(bucket)) continue;
    throw new TidemarkError('data_loss', `the point store names series of bucket ${bucket}, which has no pages`, {
      bucket,
    });
  }
}

function checkOwner({ partition, limits }: PartitionStore, storedPartition: number, storedBucketMs: number): void {
  if (storedPartition !== partition) {
    throw new TidemarkError(
      'failed_precondition',
      `the data is of partition ${storedPartition}, expected ${partition}`,
    );
  }
  if (storedBucketMs !== limits.bucketMs) {
    throw new TidemarkError(
      'failed_precondition',
      `bucket_ms: ${limits.bucketMs} (limit: ${storedBucketMs}, the width of the stored buckets, which cannot be changed)`,
      { field: 'bucket_ms' },
    );
  }
}

/** Finds the existing buckets with one seek each, in the index: pages are large. */
async function loadBuckets({ keyValue, buckets }: PartitionStore): Promise<void> {
  // Not from the prefix alone on: a database may look for that in the last block of pages.
  let from: Uint8Array = bucketKey(PREFIX.pageIndex, NO_BUCKET);
  const to = afterPrefix(Uint8Array.of(PREFIX.pageIndex));
  for (;;) {
    let found: number | undefined;
    for await (const { key } of keyValue.entries({ from, to, limit: 1 })) found = bucketOfKey(key);
    if (found === undefined) return;
    buckets.add(found);
    from = afterPrefix(bucketKey(PREFIX.pageIndex, found));
  }
}
