import { afterPrefix } from '@tidemark/bytes';
import { ChunkPoints } from '@tidemark/chunk';
import { trackerFingerprint } from '@tidemark/lanes';
import { decodeSeries, inLogOrder } from './bucket-merge.ts';
import { flushRows } from './flush.ts';
import { PREFIX, readChunkKey } from './keys.ts';
import { PointHash } from './point-hash.ts';
import type { PointPartition } from './point-partition.ts';
import { readStoredChunk, type StoredChunk } from './stored-chunk.ts';

/**
 * The whole logical state: every series' resolved points, in RAM or on disk, and the tracker. It reads everything and
 * is meant for tests, `state-hash` and comparing replicas at rest; hashes of closed buckets come for free.
 */
export async function logicalHash(partition: PointPartition): Promise<string> {
  const { table, keyValue, head, limits, tracker } = partition;
  const stored = new Map<string, { series: number; chunks: StoredChunk[] }>();
  const add = (bucket: number, series: number, value: Uint8Array) => {
    const key = `${bucket}/${series}`;
    const entry = stored.get(key) ?? { series, chunks: [] };
    entry.chunks.push(readStoredChunk(value));
    stored.set(key, entry);
  };
  const from = Uint8Array.of(PREFIX.chunk);
  for await (const { key, value } of keyValue.entries({ from, to: afterPrefix(from) })) {
    const { bucket, series } = readChunkKey(key);
    add(bucket, series, value);
  }
  const source = { mapEpoch: head.mapEpoch, fromOffset: partition.committedOffset, toOffset: partition.nextOffset };
  const rows = { pages: head.pages, sketches: head.sketches, rows: head.rows };
  for (const [bucket, batch] of flushRows({ ...rows, table, bucketMs: limits.bucketMs, source }).byBucket) {
    const { packed } = batch.finish(0);
    packed.series.forEach((series, i) => {
      add(bucket, series, packed.bytes.subarray(packed.starts[i], packed.ends[i]));
    });
  }
  const hash = new PointHash();
  for (const { series, chunks } of stored.values()) {
    const columns = decodeSeries(table, series, inLogOrder(chunks));
    if (columns instanceof ChunkPoints) hash.addPoints(table.id(series), columns);
    else hash.addSketches(table.id(series), columns);
  }
  for (const part of trackerFingerprint(tracker)) hash.addBytes(part);
  return hash.hex;
}
