import { ByteWriter } from '@tidemark/bytes';
import { CHUNK_POINTS_LIMIT, type ChunkSketches, encodeChunk, encodeSketchChunk } from '@tidemark/chunk';
import { assert, type KeyValueWrite } from '@tidemark/ports';
import { chunkKey } from './keys.ts';
import { writeChunkHead } from './stored-chunk.ts';

/** Where the points of a batch of chunks come from. */
export interface ChunkSource {
  readonly mapEpoch: number;
  readonly fromOffset: number;
  readonly toOffset: number;
}

/** Chunks that one series may have in one batch and bucket. */
const PARTS = 256;

/** Stored chunks of one bucket in one array of bytes, found by series, so that RAM can serve them. */
export interface PackedChunks {
  /** Ascending; a series with several chunks is here as often, in log order. */
  readonly series: Uint32Array;
  /** `bytes` from `starts[i]` to `ends[i]` is the stored chunk of `series[i]`. */
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly bytes: Buffer;
}

/** Collects chunks, a batch a bucket; all chunks of a series one after the other. */
export class ChunkBatches {
  readonly #batches = new Map<number, ChunkBatch>();
  readonly #bucketMs: number;
  readonly #source: ChunkSource;

  constructor(bucketMs: number, source: ChunkSource) {
    this.#bucketMs = bucketMs;
    this.#source = source;
  }

  /** Batches by bucket, ascending. */
  get byBucket(): [number, ChunkBatch][] {
    return [...this.#batches].sort(([a], [b]) => a - b);
  }

  /** Adds points [from, to), ascending by time, split at bucket ends and at the size that a chunk may have. */
  addPoints(
    series: number,
    metric: number,
    timesMs: Float64Array<ArrayBuffer>,
    values: Float64Array<ArrayBuffer>,
    from: number,
    to: number,
    source: ChunkSource = this.#source,
  ): void {
    this.#split(timesMs, from, to, (bucket, start, end) => {
      this.#batch(bucket).add(series, metric, source, (out) => encodeChunk(timesMs, values, start, end, out));
    });
  }

  addSketches(
    series: number,
    metric: number,
    { timesMs, payloads, length }: ChunkSketches,
    source: ChunkSource = this.#source,
  ): void {
    this.#split(timesMs, 0, length, (bucket, start, end) => {
      const encode = (out: ByteWriter) => encodeSketchChunk(timesMs, payloads, start, end, out);
      this.#batch(bucket).add(series, metric, source, encode);
    });
  }

  #split(
    timesMs: Float64Array,
    from: number,
    to: number,
    each: (bucket: number, start: number, end: number) => void,
  ): void {
    for (let start = from; start < to; ) {
      const bucket = Math.floor(timesMs[start] / this.#bucketMs);
      const endMs = (bucket + 1) * this.#bucketMs;
      let end = timesMs[to - 1] < endMs ? to : start + 1;
      while (end < to && timesMs[end] < endMs) end++;
      end = Math.min(end, start + CHUNK_POINTS_LIMIT);
      each(bucket, start, end);
      start = end;
    }
  }

  #batch(bucket: number): ChunkBatch {
    let batch = this.#batches.get(bucket);
    if (batch === undefined) {
      batch = new ChunkBatch(bucket);
      this.#batches.set(bucket, batch);
    }
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

  /** Adds one chunk; `encode` writes its content. */
  add(series: number, metric: number, source: ChunkSource, encode: (out: ByteWriter) => void): void {
    writeChunkHead(source, this.#out);
    encode(this.#out);
    this.#series.push(series);
    this.#metrics.push(metric);
    this.#offsets.push(this.#out.length);
  }

  /** The chunks for RAM, and the writes that store them; `sequence` tells them from other batches of the bucket. */
  finish(sequence: number): { packed: PackedChunks; writes: KeyValueWrite[] } {
    const bytes = this.#out.take();
    const packed = this.#pack(bytes);
    let part = 0;
    const writes = this.#series.map((series, i) => {
      part = i > 0 && this.#series[i - 1] === series ? part + 1 : 0;
      assert(part < PARTS, `${part} chunks of one series in one batch`);
      return {
        key: chunkKey(this.bucket, this.#metrics[i], series, sequence * PARTS + part),
        value: bytes.subarray(this.#offsets[i], this.#offsets[i + 1]),
      };
    });
    return { packed, writes };
  }

  #pack(bytes: Buffer): PackedChunks {
    const order = Uint32Array.from(this.#series, (_, i) => i);
    order.sort((a, b) => this.#series[a] - this.#series[b] || a - b);
    return {
      series: Uint32Array.from(order, (i) => this.#series[i]),
      starts: Uint32Array.from(order, (i) => this.#offsets[i]),
      ends: Uint32Array.from(order, (i) => this.#offsets[i + 1]),
      bytes,
    };
  }
}
