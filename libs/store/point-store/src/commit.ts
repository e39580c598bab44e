import { flushRows } from './flush.ts';
import { commitWrites } from './partition-save.ts';
import type { PartitionStore } from './partition-state.ts';

/**
 * Stores the head's rows as chunks, with the offset and all changes, in one write. A repeat after an error writes the
 * same keys again, so it is safe if the failed write was stored.
 */
export async function writeCommit(store: PartitionStore): Promise<void> {
  const { head, table, limits, committedOffset, nextOffset, buckets, recent } = store;
  let { sequence } = store;
  const finished = head.byEpoch().flatMap((rows) => {
    sequence++;
    const source = { mapEpoch: rows.mapEpoch, fromOffset: committedOffset, toOffset: nextOffset };
    const batches = flushRows(rows, table, limits.bucketMs, source).byBucket;
    return batches.map((batch) => ({ bucket: batch.bucket, ...batch.finish(sequence) }));
  });
  for (const { bucket, packed } of finished) store.activity.add(bucket, packed.series);
  const writes = commitWrites(store, sequence);
  for (const batch of finished) for (const write of batch.writes) writes.push(write);
  await store.lock.write(async () => {
    await store.keyValue.write(writes);
    head.clear();
    const fresh = new Set(finished.map(({ bucket }) => bucket).filter((bucket) => !buckets.has(bucket)));
    for (const { bucket, packed } of finished) {
      // Of two batches of a new bucket only the first starts it, unless the budget has evicted it since.
      recent.add(bucket, packed, fresh.delete(bucket));
      buckets.add(bucket);
    }
    store.activity.saved();
    store.sequence = sequence;
    store.saved();
  });
}
