import { PAGE_TIMES_LIMIT, type Page } from '@tidemark/page';
import type { SeriesIndex } from '@tidemark/point-log';
import { COLUMN_BYTES, HASH_STATE_BYTES, type PageCodec } from '../pages/page-codec.ts';
import type { SeriesPoints, SeriesSketches } from '../series/series-columns.ts';

/**
 * A 128-bit sum over points: equal for equal sets of points, in any order, pages and files. It detects replicas that
 * differ by accident. It is not a defence against an adversary who chooses the points.
 */
export class PointHash {
  readonly #codec: PageCodec;
  /** Two sums of 64 bits. */
  readonly #sums = new Uint32Array(4);

  /** It uses the place for a hash in the decoder's memory during its calls. */
  constructor(codec: PageCodec) {
    this.#codec = codec;
  }

  /** Adds the resolved points of one series; `id` has 16 bytes. */
  addPoints(id: Buffer, { timesMs, values, length }: SeriesPoints): void {
    const { state, at, timesAt, valuesAt } = this.#begin();
    const { kernel } = this.#codec.decoder;
    state.set(seedsOf(id));
    for (let from = 0; from < length; from += PAGE_TIMES_LIMIT) {
      const to = Math.min(length, from + PAGE_TIMES_LIMIT);
      kernel.floats.set(timesMs.subarray(from, to), timesAt / 8);
      kernel.floats.set(values.subarray(from, to), valuesAt / 8);
      kernel.loops.hashPoints(at, timesAt, valuesAt, to - from);
    }
    this.#sums.set(state.subarray(4));
  }

  /**
   * Adds the points of those slots of a page which have values and times that ascend, without `left`: the series that are not to be
   * added. Returns the other slots.
   */
  addPage(page: Page, table: SeriesIndex, left: ReadonlySet<number>): readonly number[] {
    const { state, at, timesAt, valuesAt } = this.#begin();
    const { decoder } = this.#codec;
    const { kernel } = decoder;
    const others: number[] = [];
    let known = -1;
    let isStrict = false;
    for (let slot = 0; slot < page.slots; slot++) {
      const series = page.series[slot];
      if (left.size > 0 && left.has(series)) continue;
      const timeClass = page.classOf(slot);
      if (timeClass !== known) {
        page.times.copyTimes(timeClass, kernel.floats, timesAt / 8);
        isStrict = ascends(kernel.floats, timesAt / 8, page.times.countOf(timeClass));
        known = timeClass;
      }
      if (!isStrict || page.hasSketches(slot)) {
        others.push(slot);
        continue;
      }
      decoder.decode(page, slot, valuesAt);
      table.copyId(series, state);
      kernel.loops.hashPoints(at, timesAt, valuesAt, page.countOf(slot));
    }
    this.#sums.set(state.subarray(4));
    return others;
  }

  /** Adds sketches [from, to) of one series. */
  addSketches(id: Buffer, { timesMs, payloads, length }: SeriesSketches, from = 0, to = length): void {
    for (let i = from; i < to; i++) {
      const seeds = seedsOf(id);
      absorb(seeds, payloads[i]);
      this.#addOne(seeds, timesMs[i]);
    }
  }

  /** Adds any bytes as one element. */
  addBytes(bytes: Uint8Array): void {
    const seeds = Uint32Array.of(1, 2, 3, 4);
    absorb(seeds, bytes);
    this.#addOne(seeds, bytes.length);
  }

  /** The sum as 32 hexadecimal digits. */
  get hex(): string {
    return [...this.#sums].map((sum) => sum.toString(16).padStart(8, '0')).join('');
  }

  #addOne(seeds: Uint32Array, time: number): void {
    const { state, at, timesAt, valuesAt } = this.#begin();
    const { kernel } = this.#codec.decoder;
    state.set(seeds);
    kernel.floats[timesAt / 8] = time;
    kernel.floats[valuesAt / 8] = 0;
    kernel.loops.hashPoints(at, timesAt, valuesAt, 1);
    this.#sums.set(state.subarray(4));
  }

  /** Puts the sums behind the place of the seeds in the kernel's memory, and makes room for times and values behind them. */
  #begin(): { readonly state: Uint32Array; readonly at: number; readonly timesAt: number; readonly valuesAt: number } {
    const { hashAt: at, decoder } = this.#codec;
    const { kernel } = decoder;
    const timesAt = at + HASH_STATE_BYTES;
    const valuesAt = timesAt + COLUMN_BYTES;
    kernel.reserve(valuesAt + COLUMN_BYTES);
    const state = new Uint32Array(kernel.bytes.buffer, at, HASH_STATE_BYTES / 4);
    state.set(this.#sums, 4);
    return { state, at, timesAt, valuesAt };
  }
}

/** The seeds of a series are its id, which is a hash. */
function seedsOf(id: Buffer): Uint32Array {
  return Uint32Array.from({ length: 4 }, (_, word) => id.readUInt32LE(4 * word));
}

function ascends(times: Float64Array, from: number, count: number): boolean {
  for (let i = from + 1; i < from + count; i++) if (!(times[i - 1] < times[i])) return false;
  return true;
}

function absorb(seeds: Uint32Array, bytes: Uint8Array): void {
  for (let lane = 0; lane < 4; lane++) {
    let hash = seeds[lane];
    for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193) + 0x7ed55d16;
    seeds[lane] = finish(hash);
  }
}

/** The finish of MurmurHash3 (Appleby, public domain), x86 32-bit variant. */
function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
