import { Bitmap } from '@tidemark/bitmap';
import { afterPrefix } from '@tidemark/bytes';
import { type ChunkSummary, chunkSummary, pointsBefore } from '@tidemark/chunk';
import { type AggregatePlan, checkPoints } from './aggregate-plan.ts';
import { Selection } from './head-rows.ts';
import { chunkKey, MAX_CHUNK_SEQUENCE, metricKey, seriesOfChunkKey } from './keys.ts';
import type { PartitionStore } from './partition-state.ts';
import { eachChunkOf } from './recent-chunks.ts';
import { readStoredChunk, type StoredChunk } from './stored-chunk.ts';
import type { WorkSlice } from './work-slice.ts';

/** With more series than this of one metric, its whole run of keys is read instead of one run per series. */
const SCAN_SERIES = 64;
/** Series that are looked up in a batch of chunks between two checks of the time. */
const RUN_SERIES = 1024;
/** What a series or chunk costs apart from its points, in points. */
export const SERIES_COST = 16;

interface FoundChunk extends ChunkSummary {
  readonly stored: StoredChunk;
}

const NONE: readonly FoundChunk[] = [];

/** The chunks of one series that an answer depends on. */
export interface SeriesChunks {
  readonly chunks: readonly StoredChunk[];
  /** All points from `sinceMs` to `untilMs` are in the chunks, or were not committed yet. */
  readonly sinceMs: number;
  readonly untilMs: number;
}

/**
 * Finds the chunks of the selected series that a range needs: those that touch it and, however far away, those of the
 * nearest `context` points on each side of it. Nothing is decoded but headers and times.
 */
export class RangeChunks {
  readonly #store: PartitionStore;
  readonly #plan: AggregatePlan;
  readonly #context: number;
  readonly #slice: WorkSlice;
  readonly #found = new Map<number, FoundChunk[]>();
  /** By series, what `of` has picked of the found ones. */
  readonly #picked = new Map<number, SeriesChunks>();
  /** The buckets from the first to the last that were read whole, for series that were not looked up further. */
  readonly #firstBucket: number;
  readonly #lastBucket: number;
  /** By series, the outermost bucket that was read for it. */
  readonly #oldest = new Map<number, number>();
  readonly #newest = new Map<number, number>();
  #points = 0;

  constructor(store: PartitionStore, plan: AggregatePlan, context: number, slice: WorkSlice) {
    this.#store = store;
    this.#plan = plan;
    this.#context = context;
    this.#slice = slice;
    this.#firstBucket = Math.floor(plan.fromMs / store.limits.bucketMs);
    this.#lastBucket = Math.floor((plan.toMs - 1) / store.limits.bucketMs);
  }

  /** Reads buckets until every series has its context, or no more points. The caller holds the store's lock. */
  async find(): Promise<void> {
    const buckets = [...this.#store.buckets].sort((a, b) => a - b);
    const { selection } = this.#plan;
    for (const bucket of buckets) {
      if (bucket < this.#firstBucket || bucket > this.#lastBucket) continue;
      await this.#readBucket(bucket, selection);
    }
    if (this.#context === 0) return;
    const older = buckets.filter((bucket) => bucket < this.#firstBucket).reverse();
    await this.#extend(older, (found) => this.#countBefore(found), this.#oldest);
    const newer = buckets.filter((bucket) => bucket > this.#lastBucket);
    await this.#extend(newer, (found) => this.#countAfter(found), this.#newest);
  }

  /** Counts points in RAM too. Throws `resource_exhausted` when the range has more points than the plan allows. */
  checkPoints(inRam: number): void {
    checkPoints(this.#plan, this.#points + inRam);
  }

  /** The chunks of a series that was selected, after `find`. */
  of(series: number): SeriesChunks {
    const known = this.#picked.get(series);
    if (known !== undefined) return known;
    const chunks = this.#pick(series);
    this.#picked.set(series, chunks);
    return chunks;
  }

  #pick(series: number): SeriesChunks {
    const found = this.#found.get(series) ?? NONE;
    const { fromMs, toMs } = this.#plan;
    const picked = new Set(found.filter(({ minTimeMs, maxTimeMs }) => maxTimeMs >= fromMs && minTimeMs < toMs));
    const sinceMs = this.#context === 0 ? fromMs : this.#pickBefore(found, picked);
    const untilMs = this.#context === 0 ? toMs : this.#pickAfter(found, picked);
    return { chunks: found.filter((one) => picked.has(one)).map(({ stored }) => stored), sinceMs, untilMs };
  }

  /** Whether a series has points before the range that are not in the chunks of `of`. */
  hasOlder(series: number): boolean {
    const left = this.#leftOut(series).some(({ minTimeMs }) => minTimeMs < this.#plan.fromMs);
    return left || this.#store.activity.hasBefore(this.#oldest.get(series) ?? this.#firstBucket, series);
  }

  /** Whether a series has points after the range that are not in the chunks of `of`. */
  hasNewer(series: number): boolean {
    const left = this.#leftOut(series).some(({ maxTimeMs }) => maxTimeMs >= this.#plan.toMs);
    return left || this.#store.activity.hasAfter(this.#newest.get(series) ?? this.#lastBucket, series);
  }

  #leftOut(series: number): FoundChunk[] {
    const chunks = new Set(this.of(series).chunks);
    return (this.#found.get(series) ?? NONE).filter(({ stored }) => !chunks.has(stored));
  }

  /** Takes the newest chunks before the range until they have the context; returns from when on all points are known. */
  #pickBefore(found: readonly FoundChunk[], picked: Set<FoundChunk>): number {
    const { fromMs } = this.#plan;
    let sinceMs = fromMs;
    let count = 0;
    const before = found.filter(({ minTimeMs }) => minTimeMs < fromMs).sort((a, b) => b.maxTimeMs - a.maxTimeMs);
    for (const one of before) {
      if (count >= this.#context && one.maxTimeMs < sinceMs) return sinceMs;
      picked.add(one);
      if (count < this.#context) sinceMs = Math.min(sinceMs, one.minTimeMs);
      count += countBefore(one, fromMs);
    }
    return count >= this.#context ? sinceMs : Number.NEGATIVE_INFINITY;
  }

  #pickAfter(found: readonly FoundChunk[], picked: Set<FoundChunk>): number {
    const { toMs } = this.#plan;
    let untilMs = toMs;
    let count = 0;
    const after = found.filter(({ maxTimeMs }) => maxTimeMs >= toMs).sort((a, b) => a.minTimeMs - b.minTimeMs);
    for (const one of after) {
      if (count >= this.#context && one.minTimeMs > untilMs) return untilMs;
      picked.add(one);
      if (count < this.#context) untilMs = Math.max(untilMs, one.maxTimeMs);
      count += one.count - countBefore(one, toMs);
    }
    return count >= this.#context ? untilMs : Number.POSITIVE_INFINITY;
  }

  #countBefore(found: readonly FoundChunk[]): number {
    return found.reduce((sum, one) => sum + countBefore(one, this.#plan.fromMs), 0);
  }

  #countAfter(found: readonly FoundChunk[]): number {
    return found.reduce((sum, one) => sum + one.count - countBefore(one, this.#plan.toMs), 0);
  }

  /** Reads one bucket after the other for the series whose count is below the context, as far as they have points there. */
  async #extend(
    buckets: readonly number[],
    countOf: (found: readonly FoundChunk[]) => number,
    reached: Map<number, number>,
  ): Promise<void> {
    if (buckets.length === 0) return;
    const lacking = new Bitmap();
    for (const series of this.#plan.selection.series) {
      if (countOf(this.#found.get(series) ?? NONE) < this.#context) lacking.add(series);
      if (this.#slice.spend(1)) await this.#slice.next();
    }
    for (const bucket of buckets) {
      if (lacking.isEmpty) return;
      const there = this.#store.activity.of(bucket)?.and(lacking).toArray() ?? [];
      if (there.length === 0) continue;
      await this.#readBucket(bucket, new Selection(new Set(there)));
      const satisfied = new Bitmap();
      for (const series of there) {
        reached.set(series, bucket);
        if (countOf(this.#found.get(series) ?? NONE) >= this.#context) satisfied.add(series);
      }
      lacking.andNotInPlace(satisfied);
    }
  }

  async #readBucket(bucket: number, selection: Selection): Promise<void> {
    const plan = this.#plan;
    const found = this.#found;
    await this.#eachChunk(bucket, selection, (series, value) => {
      const stored = readStoredChunk(value);
      const summary = chunkSummary(stored.chunk);
      if (summary.maxTimeMs >= plan.fromMs && summary.minTimeMs < plan.toMs) {
        this.#points += summary.count;
        checkPoints(plan, this.#points);
      }
      const list = found.get(series);
      const one = { ...summary, stored };
      if (list === undefined) found.set(series, [one]);
      else list.push(one);
    });
  }

  async #eachChunk(
    bucket: number,
    selection: Selection,
    each: (series: number, stored: Uint8Array) => void,
  ): Promise<void> {
    const { recent, keyValue } = this.#store;
    const { metric } = this.#plan;
    const slice = this.#slice;
    const batches = recent.get(bucket);
    if (batches !== undefined) {
      for (const batch of [...batches]) {
        for (let at = 0; at < selection.size; at += RUN_SERIES) {
          const run = selection.series.subarray(at, at + RUN_SERIES);
          eachChunkOf(batch, run, each);
          if (slice.spend(SERIES_COST * run.length)) await slice.next();
        }
      }
      return;
    }
    if (selection.size > SCAN_SERIES) {
      const from = metricKey(bucket, metric);
      for await (const { key, value } of keyValue.entries({ from, to: afterPrefix(from) })) {
        const series = seriesOfChunkKey(key);
        if (selection.has(series)) each(series, value);
        if (slice.spend(SERIES_COST)) await slice.next();
      }
      return;
    }
    for (const series of selection.series) {
      const from = chunkKey(bucket, metric, series, 0);
      const to = chunkKey(bucket, metric, series, MAX_CHUNK_SEQUENCE);
      for await (const { value } of keyValue.entries({ from, to })) {
        each(series, value);
        if (slice.spend(SERIES_COST)) await slice.next();
      }
    }
  }
}

/** Points of the chunk before `timeMs`. */
function countBefore({ stored, count, minTimeMs, maxTimeMs }: FoundChunk, timeMs: number): number {
  if (maxTimeMs < timeMs) return count;
  return minTimeMs >= timeMs ? 0 : pointsBefore(stored.chunk, timeMs);
}
