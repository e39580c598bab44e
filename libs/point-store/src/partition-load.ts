import { afterPrefix, ByteReader, toHex } from '@tidemark/bytes';
import { unpackTracker } from '@tidemark/lanes';
import { ID_BYTES, isKind, KIND } from '@tidemark/model';
import { type KeyValue, TidemarkError } from '@tidemark/ports';
import { bucketKey, bucketOfKey, META_KEY, PREFIX, readDictionaryKey } from './keys.ts';
import { unpackMeta } from './partition-meta.ts';
import type { PartitionStore } from './partition-state.ts';

/** UTF-8 bytes of the reason of a skip. */
const REASON_BYTES = 65_536;
const HASH_BYTES = 16;

/** Fills a new partition with what its store has. `failed_precondition` for data of another partition or format. */
export async function loadPartition(store: PartitionStore): Promise<void> {
  const { keyValue, table, dictionaries } = store;
  const bytes = await keyValue.get(META_KEY);
  if (bytes === undefined) return;
  const meta = unpackMeta(bytes);
  checkOwner(store, meta.partition, meta.bucketMs);
  store.nextOffset = meta.nextOffset;
  store.committedOffset = meta.nextOffset;
  store.sequence = meta.sequence;
  store.closedBucket = meta.closedBucket;
  store.coverage = meta.coverage;
  const { points, latePoints, duplicatePoints, undefinedPoints } = meta;
  Object.assign(store.counts, { points, latePoints, duplicatePoints, undefinedPoints });
  const lanes = await valuesOf(keyValue, PREFIX.lane);
  const clients = await valuesOf(keyValue, PREFIX.client);
  store.tracker = unpackTracker(meta.trackerHead, lanes, clients);
  for (const value of await valuesOf(keyValue, PREFIX.metric)) table.addMetric(value);
  for (const value of await valuesOf(keyValue, PREFIX.series)) loadSeries(store, value);
  store.savedTables = { series: table.length, metrics: table.metricCount };
  for await (const { key, value } of entriesOf(keyValue, PREFIX.dictionary)) {
    const series = new Uint32Array(Uint8Array.from(value).buffer);
    const parts = readDictionaryKey(key);
    dictionaries.restore({ ...parts, series }, (one) => one < table.length && table.kind(one) === KIND.distribution);
    const keys = store.savedDictionaries.get(parts.lane) ?? [];
    keys.push(key);
    store.savedDictionaries.set(parts.lane, keys);
  }
  for await (const { key, value } of entriesOf(keyValue, PREFIX.gap)) {
    const reason = new ByteReader(value, 'gap').text(REASON_BYTES);
    store.gaps.push({ offset: Buffer.from(key).readUIntBE(1, 6), reason });
  }
  for await (const { key, value } of entriesOf(keyValue, PREFIX.bucketHash)) {
    const reader = new ByteReader(value, 'bucket hash');
    const offset = reader.varint();
    store.hashes.push({ bucket: bucketOfKey(key), offset, hash: toHex(reader.bytes(HASH_BYTES)) });
  }
  await loadBuckets(store);
}

function checkOwner({ partition, limits }: PartitionStore, storedPartition: number, storedBucketMs: number): void {
  if (storedPartition !== partition) {
    throw new TidemarkError(
      'failed_precondition',
      `this is the data of partition ${storedPartition}, not ${partition}`,
    );
  }
  if (storedBucketMs !== limits.bucketMs) {
    throw new TidemarkError(
      'failed_precondition',
      `the data is in buckets of ${storedBucketMs} ms; bucket_ms can't be changed to ${limits.bucketMs} afterwards`,
      { field: 'bucket_ms' },
    );
  }
}

function loadSeries({ table }: PartitionStore, page: Uint8Array): void {
  const reader = new ByteReader(page, 'series page');
  while (reader.remaining > 0) {
    const id = reader.bytes(ID_BYTES);
    const metric = reader.u32();
    const kind = reader.u8();
    if (metric < table.metricCount && isKind(kind)) table.add(id, table.metricId(metric), kind);
    else reader.fail(`a series of metric ${metric}, kind ${kind}`);
  }
}

/** Finds which buckets there are by a seek each. */
async function loadBuckets({ keyValue, buckets }: PartitionStore): Promise<void> {
  let from: Uint8Array = Uint8Array.of(PREFIX.chunk);
  const to = afterPrefix(from);
  for (;;) {
    let found: number | undefined;
    for await (const { key } of keyValue.entries({ from, to, limit: 1 })) found = bucketOfKey(key);
    if (found === undefined) return;
    buckets.add(found);
    from = bucketKey(PREFIX.chunk, found + 1);
  }
}

function entriesOf(keyValue: KeyValue, prefix: number): AsyncIterable<{ key: Uint8Array; value: Uint8Array }> {
  const from = Uint8Array.of(prefix);
  return keyValue.entries({ from, to: afterPrefix(from) });
}

async function valuesOf(keyValue: KeyValue, prefix: number): Promise<Uint8Array[]> {
  const values: Uint8Array[] = [];
  for await (const { value } of entriesOf(keyValue, prefix)) values.push(value);
  return values;
}
