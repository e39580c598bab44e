import { ByteWriter } from '@tidemark/bytes';
import type { KeyValueWrite } from '@tidemark/ports';
import { bucketKey, META_KEY, PREFIX } from './keys.ts';
import { packMeta } from './partition-meta.ts';
import type { BucketHash, PartitionStore } from './partition-state.ts';

/**
 * The writes of all changes since the last commit except for the pages. One write with the pages makes the commit
 * atomic.
 */
export function commitWrites(store: PartitionStore, sequence: number): KeyValueWrite[] {
  const { closedBucket, expiredBucket } = store;
  const changes = store.changes();
  return [
    { key: META_KEY, value: packMeta(store, { sequence, closedBucket, expiredBucket }) },
    ...store.activity.changes(),
    ...changes,
  ];
}

export function hashWrite({ bucket, offset, hash }: BucketHash): KeyValueWrite {
  const out = new ByteWriter();
  out.varint(offset);
  out.bytes(Buffer.from(hash, 'hex'));
  return { key: bucketKey(PREFIX.bucketHash, bucket), value: out.take() };
}
