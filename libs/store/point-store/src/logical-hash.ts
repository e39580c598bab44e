import { ByteWriter } from '@tidemark/bytes';
import { trackerFingerprint } from '@tidemark/point-log';
import { hashSeries, seriesOfBucket } from './bucket-merge.ts';
import { flushRows } from './flush.ts';
import type { PartitionStore } from './partition-state.ts';
import { PointHash } from './point-hash.ts';
import { readStoredChunk, type StoredChunk } from './stored-chunk.ts';

/**
 * The hash of the whole logical state: every series' resolved points that have not expired, in RAM or on disk, its stated
 * intervals, the lanes, clients, gaps and counts. It reads all points and is meant for tests, `state-hash` and the comparison of idle replicas; hashes of
 * closed buckets exist already.
 */
export async function logicalHash(store: PartitionStore): Promise<string> {
  const hash = new PointHash();
  const rows = headChunks(store);
  const buckets = new Set([...store.buckets, ...rows.keys()]);
  for (const bucket of buckets) {
    // When expired points are deleted depends on commits and crashes, and not on the log alone.
    if (bucket <= store.expiredBucket) continue;
    const own = rows.get(bucket) ?? new Map<number, StoredChunk[]>();
    for await (const { series, stored } of seriesOfBucket(store.keyValue, bucket, store.table)) {
      hashSeries(store.table, series, [...stored, ...(own.get(series) ?? [])], hash);
      own.delete(series);
    }
    for (const [series, chunks] of own) hashSeries(store.table, series, chunks, hash);
  }
  for (const part of trackerFingerprint(store.tracker)) hash.addBytes(part);
  for (const [series, stated] of store.intervals.statements(store.table.length)) {
    hash.addBytes(Buffer.concat([store.table.id(series), stated]));
  }
  hash.addBytes(packCounts(store));
  return hash.hex;
}

/** The head's rows as the chunks of a commit at this moment, by bucket and series. */
function headChunks({ head, table, limits, committedOffset, nextOffset }: PartitionStore) {
  const chunks = new Map<number, Map<number, StoredChunk[]>>();
  for (const rows of head.byEpoch()) {
    const source = { mapEpoch: rows.mapEpoch, fromOffset: committedOffset, toOffset: nextOffset };
    for (const batch of flushRows(rows, table, limits.bucketMs, source).byBucket) {
      const own = chunks.get(batch.bucket) ?? new Map<number, StoredChunk[]>();
      chunks.set(batch.bucket, own);
      const { packed } = batch.finish(0);
      packed.series.forEach((series, i) => {
        const stored = readStoredChunk(packed.bytes.subarray(packed.starts[i], packed.ends[i]));
        own.set(series, [...(own.get(series) ?? []), stored]);
      });
    }
  }
  return chunks;
}

function packCounts({ partition, nextOffset, counts, gaps }: PartitionStore): Buffer {
  const { points, latePoints, duplicatePoints, undefinedPoints } = counts;
  const out = new ByteWriter();
  for (const number of [partition, nextOffset, points, latePoints, duplicatePoints, undefinedPoints]) out.f64(number);
  for (const { offset, reason } of gaps) {
    out.f64(offset);
    out.text(reason);
  }
  return out.take();
}
