import { SERIES_COST } from '@tidemark/fold';
import type { PageKernel } from '@tidemark/page';
import type { SlicedWork } from '@tidemark/ports';
import type { PageCodec } from '../pages/page-codec.ts';
import type { Selection } from '../series/selection.ts';
import type { SeriesPoints, SeriesSketches } from '../series/series-columns.ts';
import type { HeadColumns } from './head-columns.ts';
import type { HeadTimes } from './head-times.ts';

/** Series whose points are counted in one piece. */
const PIECE = 1024;
/** Cost of looking up a series, in units of the cost of a point. */
const LOOKUP_COST = SERIES_COST / 64;

/** The points of one bucket and map epoch of the head, as of the moment at which the view was made; `release` it. */
export class HeadView {
  readonly mapEpoch: number;
  /** All times are in [fromMs, toMs). */
  readonly fromMs: number;
  readonly toMs: number;
  readonly #columns: HeadColumns;
  /** By slot. Values and times are only added behind those that were counted. */
  readonly #counts: Uint32Array;

  constructor(columns: HeadColumns) {
    this.mapEpoch = columns.mapEpoch;
    this.fromMs = columns.fromMs;
    this.toMs = columns.toMs;
    this.#columns = columns;
    this.#counts = columns.hold();
  }

  release(): void {
    this.#columns.letGo();
  }

  /** Points of the selected series. */
  *count({ series }: Selection): SlicedWork<number, number> {
    let count = 0;
    for (let i = 0; i < series.length; i++) {
      count += this.#countOf(this.#columns.deal.findSlot(series[i]));
      if ((i + 1) % PIECE === 0) yield PIECE * LOOKUP_COST;
    }
    return count;
  }

  /** Points of one series. */
  countOf(series: number): number {
    return this.#countOf(this.#columns.deal.findSlot(series));
  }

  addPoints(series: number, target: SeriesPoints, { kernel, writer }: PageCodec): void {
    const slot = this.#columns.deal.findSlot(series);
    const count = this.#countOf(slot);
    if (count === 0) return;
    target.reserve(count);
    const scratchAt = writer.freeAt;
    this.#columns.gather(slot, count, scratchAt);
    target.timesMs.set(this.#columns.timesOf(slot).timesMs.subarray(0, count), target.length);
    target.values.set(kernel.floats.subarray(scratchAt / 8, scratchAt / 8 + count), target.length);
    target.length += count;
  }

  /** The times of one series that has points, the first `countOf` of which are of the view. */
  timesOf(series: number): HeadTimes {
    return this.#columns.timesOf(this.#columns.deal.findSlot(series));
  }

  /** Copies the first `count` values of one series to address `to` of a kernel's memory, and up to 15 values behind them. */
  gather(series: number, count: number, kernel: PageKernel, to: number): void {
    this.#columns.gather(this.#columns.deal.findSlot(series), count, to, kernel);
  }

  addSketches(series: number, target: SeriesSketches): void {
    const slot = this.#columns.deal.findSlot(series);
    const count = this.#countOf(slot);
    const payloads = this.#columns.sketches.get(slot);
    if (count === 0 || payloads === undefined) return;
    const { timesMs } = this.#columns.timesOf(slot);
    for (let i = 0; i < count; i++) target.push(timesMs[i], payloads[i]);
  }

  #countOf(slot: number): number {
    return slot >= 0 && slot < this.#counts.length ? this.#counts[slot] : 0;
  }
}
