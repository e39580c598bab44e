import { afterPrefix } from '@tidemark/bytes';
import { ChunkPoints, ChunkSketches, decodeChunk, decodeSketchChunk } from '@tidemark/chunk';
import { KIND } from '@tidemark/model';
import type { KeyValue, KeyValueWrite } from '@tidemark/ports';
import { ChunkBatches, type PackedChunks } from './chunk-batch.ts';
import { numberKey, PREFIX, readChunkKey } from './keys.ts';
import { PointHash } from './point-hash.ts';
import { resolveAll, resolveSketches } from './resolve.ts';
import type { SeriesTable } from './series-table.ts';
import { readStoredChunk, type StoredChunk } from './stored-chunk.ts';

export interface MergedBucket {
  readonly writes: readonly KeyValueWrite[];
  readonly packed: PackedChunks | undefined;
  readonly hash: PointHash;
  readonly points: number;
}

/**
 * Merges the chunks of a bucket into one a series, and sums up the bucket's hash on the way. `sequence` is that of the
 * merged chunks: lower than that of any chunk still to come.
 */
export async function mergeBucket(
  keyValue: KeyValue,
  bucket: number,
  bucketMs: number,
  table: SeriesTable,
  sequence: number,
): Promise<MergedBucket> {
  const writes: KeyValueWrite[] = [];
  const hash = new PointHash();
  let points = 0;
  let batches: ChunkBatches | undefined;
  for await (const { series, keys, stored } of seriesOfBucket(keyValue, bucket)) {
    for (const key of keys) writes.push({ key });
    const source = sourceOf(stored);
    batches ??= new ChunkBatches(bucketMs, source);
    const columns = decodeSeries(table, series, stored);
    points += columns.length;
    if (columns instanceof ChunkPoints) {
      hash.addPoints(table.id(series), columns);
      batches.addPoints(series, table.metric(series), columns.timesMs, columns.values, 0, columns.length, source);
    } else {
      hash.addSketches(table.id(series), columns);
      batches.addSketches(series, table.metric(series), columns, source);
    }
  }
  if (batches === undefined) return { writes: [], packed: undefined, hash, points };
  const [[, batch]] = batches.byBucket;
  const finished = batch.finish(sequence);
  return { writes: [...writes, ...finished.writes], packed: finished.packed, hash, points };
}

/** The resolved points, or sketches, of one series from its stored chunks. */
export function decodeSeries(
  table: SeriesTable,
  series: number,
  stored: readonly StoredChunk[],
): ChunkPoints | ChunkSketches {
  const ordered = inLogOrder(stored);
  if (table.kind(series) === KIND.distribution) {
    const sketches = new ChunkSketches();
    for (const { chunk } of ordered) decodeSketchChunk(chunk, sketches);
    resolveSketches(sketches);
    return sketches;
  }
  const points = new ChunkPoints();
  for (const { chunk } of ordered) decodeChunk(chunk, points);
  resolveAll(table.kind(series), points);
  return points;
}

/** Of two values of one timestamp the later in this order stands. */
export function inLogOrder(stored: readonly StoredChunk[]): readonly StoredChunk[] {
  return stored.length < 2
    ? stored
    : [...stored].sort((a, b) => a.mapEpoch - b.mapEpoch || a.fromOffset - b.fromOffset || a.toOffset - b.toOffset);
}

function sourceOf(stored: readonly StoredChunk[]): StoredChunk {
  return stored.reduce((a, b) => ({
    mapEpoch: Math.max(a.mapEpoch, b.mapEpoch),
    fromOffset: Math.min(a.fromOffset, b.fromOffset),
    toOffset: Math.max(a.toOffset, b.toOffset),
    chunk: a.chunk,
  }));
}

interface BucketSeries {
  readonly series: number;
  readonly keys: readonly Uint8Array[];
  readonly stored: readonly StoredChunk[];
}

/** The stored chunks of a bucket, series by series. */
export async function* seriesOfBucket(keyValue: KeyValue, bucket: number): AsyncGenerator<BucketSeries> {
  const prefix = numberKey(PREFIX.chunk, bucket);
  let series = -1;
  let keys: Uint8Array[] = [];
  let stored: StoredChunk[] = [];
  for await (const { key, value } of keyValue.entries({ from: prefix, to: afterPrefix(prefix) })) {
    const parts = readChunkKey(key);
    if (parts.series !== series && keys.length > 0) {
      yield { series, keys, stored };
      keys = [];
      stored = [];
    }
    series = parts.series;
    keys.push(key);
    stored.push(readStoredChunk(value));
  }
  if (keys.length > 0) yield { series, keys, stored };
}
