import { afterPrefix } from '@tidemark/bytes';
import { ChunkPoints, ChunkSketches } from '@tidemark/chunk';
import { SERIES_CLASS } from '@tidemark/model';
import type { SeriesIndex } from '@tidemark/point-log';
import { type KeyValue, type KeyValueWrite, TidemarkError } from '@tidemark/ports';
import { ChunkBatch, ChunkBatches, type PackedChunks } from './chunk-batch.ts';
import { bucketKey, PREFIX, seriesOfChunkKey } from './keys.ts';
import type { PointHash } from './point-hash.ts';
import { compactPoints, resolveAll, sortSketches } from './resolve.ts';
import { appendPoints, appendSketches, NO_ROWS } from './series-points.ts';
import { readStoredChunk, type StoredChunk } from './stored-chunk.ts';

/**
 * Source bytes of one part of a merge; parts are bounded by bytes and series, so that they use little RAM and do not
 * delay queries.
 */
const PART_BYTES = 4 * 1024 * 1024;
/** Series of one part of a merge. */
const PART_SERIES = 4096;

/** Series whose chunks are merged by one write. */
export interface MergedPart {
  readonly writes: readonly KeyValueWrite[];
  readonly packed: PackedChunks;
}

export interface MergeInput {
  readonly keyValue: KeyValue;
  readonly bucket: number;
  readonly bucketMs: number;
  readonly table: SeriesIndex;
  /** Number of the last commit: merged chunks sort before those of any later commit. */
  readonly sequence: number;
}

/**
 * Merges the chunks of a bucket into one per series and map epoch, and adds its points to `hash`. A crash between two
 * parts changes no answer: merged chunks have the same content as their sources.
 */
export async function* mergeBucket(input: MergeInput, hash: PointHash): AsyncGenerator<MergedPart> {
  const { keyValue, bucket, bucketMs, table, sequence } = input;
  let deletes: KeyValueWrite[] = [];
  let batches = new ChunkBatches(bucketMs);
  let seriesCount = 0;
  let sizeBytes = 0;
  const finish = (): MergedPart => {
    const { packed, writes } = (batches.byBucket.at(0) ?? new ChunkBatch(bucket)).finish(sequence);
    const part = { writes: [...deletes, ...writes], packed };
    deletes = [];
    batches = new ChunkBatches(bucketMs);
    seriesCount = 0;
    sizeBytes = 0;
    return part;
  };
  for await (const { series, keys, stored } of seriesOfBucket(keyValue, bucket, table)) {
    for (const key of keys) deletes.push({ key });
    for (const { chunk } of stored) sizeBytes += chunk.length;
    mergeSeries(table, series, stored, batches);
    hashSeries(table, series, stored, hash);
    if (++seriesCount >= PART_SERIES || sizeBytes >= PART_BYTES) yield finish();
  }
  if (seriesCount > 0) yield finish();
}

function mergeSeries(table: SeriesIndex, series: number, stored: readonly StoredChunk[], batches: ChunkBatches): void {
  const seriesClass = table.seriesClass(series);
  const metric = table.metric(series);
  const epochs = [...new Set(stored.map(({ mapEpoch }) => mapEpoch))].sort((a, b) => a - b);
  for (const mapEpoch of epochs) {
    const own = stored.filter((one) => one.mapEpoch === mapEpoch);
    const fromOffset = Math.min(...own.map((one) => one.fromOffset));
    const toOffset = Math.max(...own.map((one) => one.toOffset));
    const source = { mapEpoch, fromOffset, toOffset };
    if (seriesClass === SERIES_CLASS.distribution) {
      const sketches = new ChunkSketches();
      appendSketches(series, own, NO_ROWS, sketches);
      sortSketches(sketches);
      batches.addSketches(series, metric, sketches, source);
    } else {
      scratch.clear();
      appendPoints(series, own, NO_ROWS, scratch);
      const end = compactPoints(seriesClass, scratch.timesMs, scratch.values, 0, scratch.length);
      batches.addPoints(series, metric, scratch.timesMs, scratch.values, 0, end, source);
    }
  }
}

const scratch = new ChunkPoints();

/** Adds the resolved points of a series' chunks to `hash`. */
export function hashSeries(table: SeriesIndex, series: number, stored: readonly StoredChunk[], hash: PointHash): void {
  const seriesClass = table.seriesClass(series);
  if (seriesClass === SERIES_CLASS.distribution) {
    const sketches = new ChunkSketches();
    appendSketches(series, stored, NO_ROWS, sketches);
    hash.addSketches(table.id(series), sketches);
  } else {
    scratch.clear();
    appendPoints(series, stored, NO_ROWS, scratch);
    resolveAll(seriesClass, scratch);
    hash.addPoints(table.id(series), scratch);
  }
}

interface BucketSeries {
  readonly series: number;
  readonly keys: readonly Uint8Array[];
  readonly stored: readonly StoredChunk[];
}

/** The stored chunks of a bucket, series by series. Throws `data_loss` for chunks of a series that is not in `table`. */
export async function* seriesOfBucket(
  keyValue: KeyValue,
  bucket: number,
  table: Pick<SeriesIndex, 'length'>,
): AsyncGenerator<BucketSeries> {
  const prefix = bucketKey(PREFIX.chunk, bucket);
  let series = -1;
  let keys: Uint8Array[] = [];
  let stored: StoredChunk[] = [];
  for await (const { key, value } of keyValue.entries({ from: prefix, to: afterPrefix(prefix) })) {
    const next = seriesOfChunkKey(key);
    if (next >= table.length) {
      const message = `the stored bucket ${bucket} has chunks of series ${next} of ${table.length}`;
      throw new TidemarkError('data_loss', message, { bucket, series: next });
    }
    if (next !== series && keys.length > 0) {
      yield { series, keys, stored };
      keys = [];
      stored = [];
    }
    series = next;
    keys.push(key);
    stored.push(readStoredChunk(value));
  }
  if (keys.length > 0) yield { series, keys, stored };
}
