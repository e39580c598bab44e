import { afterPrefix, ByteReader } from '@tidemark/bytes';
import { unpackTracker } from '@tidemark/lanes';
import { ID_BYTES, type Kind } from '@tidemark/model';
import type { KeyValue } from '@tidemark/ports';
import { META_KEY, PREFIX, readDictionaryKey } from './keys.ts';
import type { LaneDictionaries } from './lane-dictionaries.ts';
import { unpackMeta } from './partition-meta.ts';
import type { PointPartition } from './point-partition.ts';

const REASON_BYTES = 4096;

/** A record that was passed. */
export interface MarkedGap {
  readonly offset: number;
  readonly reason: string;
}

/** The logical content of a bucket when it closed. */
export interface BucketHash {
  readonly bucket: number;
  /** All records below it count. */
  readonly offset: number;
  readonly hash: string;
}

/** Fills a new partition with what its store has. */
export async function loadPartition(partition: PointPartition, dictionaries: LaneDictionaries): Promise<void> {
  const { keyValue, table } = partition;
  const bytes = await keyValue.get(META_KEY);
  if (bytes === undefined) return;
  const meta = unpackMeta(bytes);
  partition.nextOffset = meta.nextOffset;
  partition.committedOffset = meta.nextOffset;
  partition.sequence = meta.sequence;
  partition.newestBucket = meta.newestBucket;
  partition.closedBucket = meta.closedBucket;
  partition.coverage = meta.coverage;
  const { points, latePoints, duplicatePoints, undefinedPoints } = meta;
  Object.assign(partition.counts, { points, latePoints, duplicatePoints, undefinedPoints });
  const lanes = (await entriesOf(keyValue, PREFIX.lane)).map(({ value }) => value);
  const clients = (await entriesOf(keyValue, PREFIX.client)).map(({ value }) => value);
  partition.tracker = unpackTracker(meta.trackerHead, lanes, clients);
  for (const { value } of await entriesOf(keyValue, PREFIX.metric)) table.addMetric(value);
  for (const { value } of await entriesOf(keyValue, PREFIX.series)) {
    const reader = new ByteReader(value, 'series page');
    while (reader.remaining > 0) {
      const id = reader.bytes(ID_BYTES);
      table.add(id, table.metricId(reader.u32()), reader.u8() as Kind);
    }
  }
  for (const { key, value } of await entriesOf(keyValue, PREFIX.dictionary)) {
    const series = new Uint32Array(Uint8Array.from(value).buffer);
    const parts = readDictionaryKey(key);
    dictionaries.restore({ ...parts, series });
    partition.savedDictionaries.remember(parts.lane, key);
  }
  for (const { value } of await entriesOf(keyValue, PREFIX.gap)) {
    const reader = new ByteReader(value, 'gap');
    partition.gaps.push({ offset: reader.varint(), reason: reader.text(REASON_BYTES) });
  }
  for (const { key, value } of await entriesOf(keyValue, PREFIX.bucketHash)) {
    const reader = new ByteReader(value, 'bucket hash');
    const bucket = Buffer.from(key).readUInt32BE(1);
    partition.hashes.push({ bucket, offset: reader.varint(), hash: reader.text(64) });
  }
}

async function entriesOf(keyValue: KeyValue, prefix: number): Promise<{ key: Uint8Array; value: Uint8Array }[]> {
  const from = Uint8Array.of(prefix);
  const all: { key: Uint8Array; value: Uint8Array }[] = [];
  for await (const entry of keyValue.entries({ from, to: afterPrefix(from) })) all.push(entry);
  return all;
}
