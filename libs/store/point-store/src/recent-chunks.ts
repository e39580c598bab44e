import type { PackedChunks } from './chunk-batch.ts';

/** Bytes of one chunk's index entry: its series, start and end. */
const INDEX_BYTES = 12;

/**
 * The newest buckets' chunks in RAM, within a byte budget. A bucket is here whole or not at all, so that a query reads
 * each bucket either from here or from disk.
 */
export class RecentChunks {
  readonly #budgetBytes: number;
  readonly #buckets = new Map<number, PackedChunks[]>();
  #bytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a batch. `isFirst` is true when the bucket has no chunk on disk yet. */
  add(bucket: number, packed: PackedChunks, isFirst: boolean): void {
    let batches = this.#buckets.get(bucket);
    if (batches === undefined) {
      if (!isFirst) return;
      batches = [];
      this.#buckets.set(bucket, batches);
    }
    batches.push(packed);
    this.#bytes += sizeOf(packed);
    while (this.#bytes > this.#budgetBytes && this.#buckets.size > 0) this.drop(Math.min(...this.#buckets.keys()));
  }

  /** Replaces the batches of a bucket by batches of the same content, if the bucket is here. */
  replace(bucket: number, batches: readonly PackedChunks[]): void {
    if (!this.#buckets.has(bucket)) return;
    this.drop(bucket);
    this.#buckets.set(bucket, [...batches]);
    for (const packed of batches) this.#bytes += sizeOf(packed);
  }

  /** Drops the buckets above this one. */
  dropAfter(bucket: number): void {
    for (const key of [...this.#buckets.keys()]) if (key > bucket) this.drop(key);
  }

  /** All batches of a bucket, or undefined when the bucket must be read from disk. */
  get(bucket: number): readonly PackedChunks[] | undefined {
    return this.#buckets.get(bucket);
  }

  /** Drops a bucket, if it is here. */
  drop(bucket: number): void {
    for (const packed of this.#buckets.get(bucket) ?? []) this.#bytes -= sizeOf(packed);
    this.#buckets.delete(bucket);
  }
}

/** Calls `each` with every stored chunk of the given series (ascending) in a batch. */
export function eachChunkOf(
  packed: PackedChunks,
  wanted: Uint32Array,
  each: (series: number, stored: Buffer) => void,
): void {
  const { bytes, series, starts, ends } = packed;
  let at = 0;
  for (const one of wanted) {
    at = lowerBound(series, one, at);
    for (; at < series.length && series[at] === one; at++) each(one, bytes.subarray(starts[at], ends[at]));
  }
}

/** First index from `from` on of a number that is at least `value`: nearby ones are found in few steps. */
function lowerBound(sorted: Uint32Array, value: number, from: number): number {
  let step = 1;
  let low = from;
  let high = from;
  while (high < sorted.length && sorted[high] < value) {
    low = high + 1;
    high += step;
    step *= 2;
  }
  high = Math.min(high, sorted.length);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function sizeOf({ bytes, series }: PackedChunks): number {
  return bytes.length + series.length * INDEX_BYTES;
}
