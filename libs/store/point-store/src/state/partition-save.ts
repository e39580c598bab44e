import { ByteWriter } from '@tidemark/bytes';
import type { KeyValueWrite } from '@tidemark/ports';
import { bucketKey, META_KEY, PREFIX } from '../keys.ts';
import type { BucketHash } from './bucket-closing.ts';
import { packMeta } from './partition-meta.ts';
import type { PartitionStore } from './partition-state.ts';

/**
 * The writes of all changes since the last commit except for the pages, and for what is being closed. One write with these
 * makes the commit atomic.
 */
export function commitWrites(
  store: PartitionStore,
  place: Pick<PartitionStore, 'sequence' | 'expiredBucket'>,
): KeyValueWrite[] {
  return [{ key: META_KEY, value: packMeta(store, place) }, ...store.activity.changes(), ...store.changes()];
}

export function hashWrite({ bucket, offset, hash }: BucketHash): KeyValueWrite {
  const out = new ByteWriter();
  out.varint(offset);
  out.bytes(Buffer.from(hash, 'hex'));
  return { key: bucketKey(PREFIX.bucketHash, bucket), value: out.take() };
}
