import { ByteWriter } from '@tidemark/bytes';
import { packClient, packLane } from '@tidemark/lanes';
import type { KeyValueWrite } from '@tidemark/ports';
import { dictionaryKey, META_KEY, numberKey, PREFIX, textKey } from './keys.ts';
import type { LaneDictionaries } from './lane-dictionaries.ts';
import type { BucketHash, MarkedGap } from './partition-load.ts';
import { packMeta } from './partition-meta.ts';
import type { PointPartition } from './point-partition.ts';

/** Series a stored page of the series table holds at most. */
const SERIES_PAGE = 4096;

/** How much of the tables is on disk. */
export interface SavedTables {
  readonly series: number;
  readonly metrics: number;
}

/** All that changed since the last commit but the chunks: one write with them makes the commit atomic. */
export function commitWrites(
  partition: PointPartition,
  dictionaries: LaneDictionaries,
  saved: SavedTables,
  buckets: { readonly newestBucket: number; readonly closedBucket: number },
): KeyValueWrite[] {
  const { tracker, table, counts, coverage, nextOffset, sequence } = partition;
  const meta = { ...counts, coverage, nextOffset, sequence, ...buckets };
  const writes: KeyValueWrite[] = [{ key: META_KEY, value: packMeta(meta, tracker) }];
  const { lanes, clients } = tracker.changes;
  for (const key of lanes) {
    const lane = tracker.lanes.get(key);
    writes.push({ key: textKey(PREFIX.lane, key), value: lane === undefined ? undefined : packLane(lane) });
    if (lane === undefined) dictionaries.drop(key);
  }
  for (const key of clients) {
    const client = tracker.clients.get(key);
    writes.push({ key: textKey(PREFIX.client, key), value: client === undefined ? undefined : packClient(client) });
  }
  for (let metric = saved.metrics; metric < table.metricCount; metric++) {
    writes.push({ key: numberKey(PREFIX.metric, metric), value: table.metricId(metric) });
  }
  for (let from = saved.series; from < table.length; from += SERIES_PAGE) {
    writes.push({ key: numberKey(PREFIX.series, from), value: packSeries(partition, from) });
  }
  const { stale, deltas } = dictionaries.changes;
  for (const lane of stale) for (const key of partition.savedDictionaries.keys(lane)) writes.push({ key });
  for (const { lane, epoch, dictionary, firstRef, series } of deltas) {
    const key = dictionaryKey(lane, epoch, dictionary, firstRef);
    writes.push({ key, value: Buffer.from(series.buffer, series.byteOffset, series.byteLength) });
  }
  return writes;
}

/** After the writes of a commit are durable: the next one starts from here. */
export function markSaved({ tracker, savedDictionaries }: PointPartition, dictionaries: LaneDictionaries): void {
  const { stale, deltas } = dictionaries.changes;
  for (const lane of stale) savedDictionaries.forget(lane);
  for (const { lane, epoch, dictionary, firstRef } of deltas) {
    savedDictionaries.remember(lane, dictionaryKey(lane, epoch, dictionary, firstRef));
  }
  dictionaries.saved();
  tracker.saved();
}

/** [id, metric, kind] of up to a page of series. */
function packSeries({ table }: PointPartition, from: number): Buffer {
  const to = Math.min(table.length, from + SERIES_PAGE);
  const out = new ByteWriter((to - from) * 21);
  for (let series = from; series < to; series++) {
    out.bytes(table.id(series));
    out.u32(table.metric(series));
    out.u8(table.kind(series));
  }
  return out.take();
}

export function gapWrite({ offset, reason }: MarkedGap): KeyValueWrite {
  const out = new ByteWriter();
  out.varint(offset);
  out.text(reason);
  return { key: textKey(PREFIX.gap, String(offset).padStart(16, '0')), value: out.take() };
}

export function hashWrite({ bucket, offset, hash }: BucketHash): KeyValueWrite {
  const out = new ByteWriter();
  out.varint(offset);
  out.text(hash);
  return { key: numberKey(PREFIX.bucketHash, bucket), value: out.take() };
}
