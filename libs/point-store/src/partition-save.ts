import { ByteWriter } from '@tidemark/bytes';
import { packClient, packLane } from '@tidemark/lanes';
import type { KeyValueWrite } from '@tidemark/ports';
import { bucketKey, dictionaryKey, gapKey, META_KEY, numberKey, PREFIX, textKey } from './keys.ts';
import { packMeta } from './partition-meta.ts';
import type { BucketHash, MarkedGap, PartitionStore } from './partition-state.ts';
import type { SeriesTable } from './series-table.ts';

/** Series that a stored page of the series table holds at most. */
const SERIES_PAGE = 4096;
const SERIES_BYTES = 21;

/** All that changed since the last commit but the chunks: one write with them makes the commit atomic. */
export function commitWrites(store: PartitionStore, sequence: number): KeyValueWrite[] {
  const { tracker, table, dictionaries, savedTables } = store;
  const writes: KeyValueWrite[] = [{ key: META_KEY, value: packMeta(store, sequence, store.closedBucket) }];
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
  for (let metric = savedTables.metrics; metric < table.metricCount; metric++) {
    writes.push({ key: numberKey(PREFIX.metric, metric), value: table.metricId(metric) });
  }
  for (let from = savedTables.series; from < table.length; from += SERIES_PAGE) {
    writes.push({ key: numberKey(PREFIX.series, from), value: packSeries(table, from) });
  }
  const { stale, deltas } = dictionaries.changes;
  for (const lane of stale) for (const key of store.savedDictionaries.get(lane) ?? []) writes.push({ key });
  for (const { lane, epoch, dictionary, firstRef, series } of deltas) {
    const key = dictionaryKey(lane, epoch, dictionary, firstRef);
    writes.push({ key, value: Buffer.from(series.buffer, series.byteOffset, series.byteLength) });
  }
  for (const gap of store.gaps) if (gap.offset >= store.committedOffset) writes.push(gapWrite(gap));
  return writes;
}

/** After the writes of a commit are durable: the next one starts from here. */
export function markSaved(store: PartitionStore): void {
  const { dictionaries, savedDictionaries, table, tracker } = store;
  const { stale, deltas } = dictionaries.changes;
  for (const lane of stale) savedDictionaries.delete(lane);
  for (const { lane, epoch, dictionary, firstRef } of deltas) {
    const keys = savedDictionaries.get(lane) ?? [];
    keys.push(dictionaryKey(lane, epoch, dictionary, firstRef));
    savedDictionaries.set(lane, keys);
  }
  dictionaries.saved();
  tracker.saved();
  store.savedTables = { series: table.length, metrics: table.metricCount };
}

/** [id, metric, kind] of up to a page of series. */
function packSeries(table: SeriesTable, from: number): Buffer {
  const to = Math.min(table.length, from + SERIES_PAGE);
  const out = new ByteWriter((to - from) * SERIES_BYTES);
  for (let series = from; series < to; series++) {
    out.bytes(table.id(series));
    out.u32(table.metric(series));
    out.u8(table.kind(series));
  }
  return out.take();
}

function gapWrite({ offset, reason }: MarkedGap): KeyValueWrite {
  const out = new ByteWriter();
  out.text(reason);
  return { key: gapKey(offset), value: out.take() };
}

export function hashWrite({ bucket, offset, hash }: BucketHash): KeyValueWrite {
  const out = new ByteWriter();
  out.varint(offset);
  out.bytes(Buffer.from(hash, 'hex'));
  return { key: bucketKey(PREFIX.bucketHash, bucket), value: out.take() };
}
