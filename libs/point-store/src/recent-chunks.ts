import type { PackedChunks } from './chunk-batch.ts';

/**
 * The newest buckets' chunks in RAM, under a byte budget. A bucket is here whole or not at all, so that a reader takes
 * each bucket either from here or from disk.
 */
export class RecentChunks {
  readonly #budgetBytes: number;
  readonly #buckets = new Map<number, PackedChunks[]>();
  #bytes = 0;

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes;
  }

  /** Adds a batch. `isFirst`: the bucket has no chunk on disk yet. */
  add(bucket: number, packed: PackedChunks, isFirst: boolean): void {
    let batches = this.#buckets.get(bucket);
    if (batches === undefined) {
      if (!isFirst) return;
      batches = [];
      this.#buckets.set(bucket, batches);
    }
    batches.push(packed);
    this.#bytes += packed.bytes.length;
    while (this.#bytes > this.#budgetBytes && this.#buckets.size > 0) this.drop(Math.min(...this.#buckets.keys()));
  }

  /** All batches of a bucket in log order, or undefined when the disk has to be asked. */
  get(bucket: number): readonly PackedChunks[] | undefined {
    return this.#buckets.get(bucket);
  }

  drop(bucket: number): void {
    for (const { bytes } of this.#buckets.get(bucket) ?? []) this.#bytes -= bytes.length;
    this.#buckets.delete(bucket);
  }
}

/** Calls `each` with every stored chunk of `series` in a batch, in order. */
export function eachChunkOf(packed: PackedChunks, series: number, each: (stored: Buffer) => void): void {
  const { bytes, starts, ends } = packed;
  for (let i = lowerBound(packed.series, series); i < packed.series.length && packed.series[i] === series; i++) {
    each(bytes.subarray(starts[i], ends[i]));
  }
}

function lowerBound(sorted: Uint32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
