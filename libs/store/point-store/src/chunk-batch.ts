import { ByteWriter } from '@tidemark/bytes';
import { CHUNK_POINTS_LIMIT, type ChunkSketches, encodeChunk, encodeSketchChunk } from '@tidemark/chunk';
import { assert, type KeyValueWrite } from '@tidemark/ports';
import { CHUNK_KEY_BYTES, PARTS, writeChunkKey } from './keys.ts';
import { writeChunkHead } from './stored-chunk.ts';

/** Bytes at which a chunk of sketches ends, far below the limit of a value of the store. */
const SKETCH_CHUNK_BYTES = 4 * 1024 * 1024;

/** The source of the points of a batch of chunks. */
export interface ChunkSource {
  readonly mapEpoch: number;
  readonly fromOffset: number;
  readonly toOffset: number;
}

/** Stored chunks of one bucket in one array of bytes with an index by series, so that they are served from RAM. */
export interface PackedChunks {
  /** Series, ascending; a series has one entry per chunk, in log order. */
  readonly series: Uint32Array;
  /** `bytes` from `starts[i]` to `ends[i]` is the stored chunk of `series[i]`. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly bytes: Buffer;
}

/** Collects chunks into one batch per bucket. The chunks of a series must be added one after the other. */
export class ChunkBatches {
  readonly #batches = new Map<number, ChunkBatch>();
  readonly #bucketMs: number;
  /** The batch of the last chunk: nearly all chunks are of the same bucket. */
  #last: ChunkBatch | undefined;

  constructor(bucketMs: number) {
    this.#bucketMs = bucketMs;
  }

  /** Batches, ascending by bucket. */
  get byBucket(): ChunkBatch[] {
    return [...this.#batches.values()].sort((a, b) => a.bucket - b.bucket);
  }

  /** Adds points [from, to), ascending by time, split at the ends of buckets and at the maximum size of a chunk. */
  addPoints(
    series: number,
    metric: number,
    timesMs: Float64Array<ArrayBuffer>,
    values: Float64Array<ArrayBuffer>,
    from: number,
    to: number,
    source: ChunkSource,
  ): void {
    for (let start = from; start < to; ) {
      const bucket = Math.floor(timesMs[start] / this.#bucketMs);
      const end = this.#endOf(bucket, timesMs, start, to);
      const batch = this.#batch(bucket);
      encodeChunk(timesMs, values, start, end, batch.begin(source));
      batch.end(series, metric);
      start = end;
    }
  }

  addSketches(series: number, metric: number, { timesMs, payloads, length }: ChunkSketches, source: ChunkSource): void {
    for (let start = 0; start < length; ) {
      const bucket = Math.floor(timesMs[start] / this.#bucketMs);
      const limit = this.#endOf(bucket, timesMs, start, length);
      let end = start + 1;
      let size = payloads[start].length;
      while (end < limit && size + payloads[end].length <= SKETCH_CHUNK_BYTES) size += payloads[end++].length;
      const batch = this.#batch(bucket);
      encodeSketchChunk(timesMs, payloads, start, end, batch.begin(source));
      batch.end(series, metric);
      start = end;
    }
  }

  #endOf(bucket: number, timesMs: Float64Array, start: number, to: number): number {
    const endMs = (bucket + 1) * this.#bucketMs;
    let end = timesMs[to - 1] < endMs ? to : start + 1;
    while (end < to && timesMs[end] < endMs) end++;
    return Math.min(end, start + CHUNK_POINTS_LIMIT);
  }

  #batch(bucket: number): ChunkBatch {
    if (this.#last?.bucket === bucket) return this.#last;
    let batch = this.#batches.get(bucket);
    if (batch === undefined) {
      batch = new ChunkBatch(bucket);
      this.#batches.set(bucket, batch);
    }
    this.#last = batch;
    return batch;
  }
}

/** The chunks of one bucket. */
export class ChunkBatch {
  readonly bucket: number;
  readonly #out = new ByteWriter(64 * 1024);
  readonly #series: number[] = [];
  readonly #metrics: number[] = [];
  readonly #offsets: number[] = [0];

  constructor(bucket: number) {
    this.bucket = bucket;
  }

  /** Starts a chunk: the caller writes its content, and then calls `end`. */
  begin(source: ChunkSource): ByteWriter {
    writeChunkHead(source, this.#out);
    return this.#out;
  }

  end(series: number, metric: number): void {
    this.#series.push(series);
    this.#metrics.push(metric);
    this.#offsets.push(this.#out.length);
  }

  /**
   * The chunks for RAM, and the writes that store them; `sequence` distinguishes them from other batches of the bucket.
   */
  finish(sequence: number): { packed: PackedChunks; writes: KeyValueWrite[] } {
    const bytes = this.#out.take();
    const count = this.#series.length;
    const packed = this.#pack(bytes);
    const keys = Buffer.allocUnsafe(count * CHUNK_KEY_BYTES);
    const writes: KeyValueWrite[] = new Array(count);
    for (let i = 0, part = 0; i < count; i++) {
      part = i > 0 && this.#series[i - 1] === this.#series[i] ? part + 1 : 0;
      assert(part < PARTS, `${part} chunks of one series in one batch`);
      const at = i * CHUNK_KEY_BYTES;
      writeChunkKey(keys, at, this.bucket, this.#metrics[i], this.#series[i], sequence * PARTS + part);
      writes[i] = {
        key: keys.subarray(at, at + CHUNK_KEY_BYTES),
        value: bytes.subarray(this.#offsets[i], this.#offsets[i + 1]),
      };
    }
    return { packed, writes };
  }

  /** Packs the chunks sorted by series: a merge adds them by metric, in the order of their keys. */
  #pack(bytes: Buffer): PackedChunks {
    const order = Uint32Array.from(this.#series, (_, i) => i);
    if (this.#series.some((series, i) => i > 0 && this.#series[i - 1] > series)) {
      order.sort((a, b) => this.#series[a] - this.#series[b] || a - b);
    }
    return {
      series: order.map((i) => this.#series[i]),
      starts: order.map((i) => this.#offsets[i]),
      ends: order.map((i) => this.#offsets[i + 1]),
      bytes,
    };
  }
}
