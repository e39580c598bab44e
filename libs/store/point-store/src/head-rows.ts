import type { ChunkPoints, ChunkSketches } from '@tidemark/chunk';
import type { EpochRows, RowPage, SketchRow } from './head.ts';

/** Rows of some series within a range of time and of one map epoch, by series, in log order. */
export class HeadRows {
  readonly mapEpoch: number;
  /** Number of rows of numbers and sketches together. */
  readonly length: number;
  readonly #selection: Selection;
  /** The rows of the selected series of ordinal `i` are at [starts[i - 1], starts[i]). */
  readonly #starts: Uint32Array;
  readonly #timesMs: Float64Array;
  readonly #values: Float64Array;
  readonly #sketches: ReadonlyMap<number, SketchRow[]>;

  constructor({ mapEpoch, pages, sketches }: EpochRows, selection: Selection, fromMs: number, toMs: number) {
    const touched = pages.filter((page) => page.maxTimeMs >= fromMs && page.minTimeMs < toMs);
    this.mapEpoch = mapEpoch;
    this.#selection = selection;
    this.#starts = startsOf(touched, selection, fromMs, toMs);
    const rows = this.#starts[selection.size];
    this.#timesMs = new Float64Array(rows);
    this.#values = new Float64Array(rows);
    this.#fill(touched, fromMs, toMs);
    const own = sketches.filter(({ series, timeMs }) => selection.has(series) && timeMs >= fromMs && timeMs < toMs);
    this.#sketches = Map.groupBy(own, ({ series }) => series);
    this.length = rows + own.length;
  }

  addPoints(series: number, target: ChunkPoints): void {
    const ordinal = this.#selection.ordinal(series);
    const from = this.#starts[ordinal - 1];
    const to = this.#starts[ordinal];
    if (from === to) return;
    target.reserve(to - from);
    target.timesMs.set(this.#timesMs.subarray(from, to), target.length);
    target.values.set(this.#values.subarray(from, to), target.length);
    target.length += to - from;
  }

  addSketches(series: number, target: ChunkSketches): void {
    for (const { timeMs, payload } of this.#sketches.get(series) ?? []) target.push(timeMs, payload);
  }

  #fill(pages: readonly RowPage[], fromMs: number, toMs: number): void {
    const { ordinals } = this.#selection;
    const next = this.#starts.slice();
    for (const { series, timesMs, values, length } of pages) {
      for (let i = 0; i < length; i++) {
        const one = series[i];
        const ordinal = one < ordinals.length ? ordinals[one] : 0;
        if (ordinal === 0 || timesMs[i] < fromMs || timesMs[i] >= toMs) continue;
        const at = next[ordinal - 1]++;
        this.#timesMs[at] = timesMs[i];
        this.#values[at] = values[i];
      }
    }
  }
}

/** Selected series, ascending, each with its ordinal from 1 on. */
export class Selection {
  readonly series: Uint32Array;
  /** Ordinals by series up to the highest selected one; 0 for a series that is not selected. */
  readonly ordinals: Uint32Array;

  /** @param selected in any order, also several times. */
  constructor(selected: ArrayLike<number>) {
    const sorted = Uint32Array.from(selected).sort();
    let size = 0;
    for (const series of sorted) if (size === 0 || series !== sorted[size - 1]) sorted[size++] = series;
    this.series = sorted.subarray(0, size);
    this.ordinals = new Uint32Array((this.series.at(-1) ?? -1) + 1);
    for (let i = 0; i < this.series.length; i++) this.ordinals[this.series[i]] = i + 1;
  }

  get size(): number {
    return this.series.length;
  }

  has(series: number): boolean {
    return this.ordinal(series) !== 0;
  }

  ordinal(series: number): number {
    return series < this.ordinals.length ? this.ordinals[series] : 0;
  }
}

/** The head's rows of the selected series with timestamps in [fromMs, toMs), by map epoch, ascending. */
export function rowsOf(rows: readonly EpochRows[], selection: Selection, fromMs: number, toMs: number): HeadRows[] {
  return rows.map((rows) => new HeadRows(rows, selection, fromMs, toMs));
}

function startsOf(pages: readonly RowPage[], { ordinals, size }: Selection, fromMs: number, toMs: number) {
  const starts = new Uint32Array(size + 1);
  for (const { series, timesMs, length, minTimeMs, maxTimeMs } of pages) {
    const isWithin = minTimeMs >= fromMs && maxTimeMs < toMs;
    for (let i = 0; i < length; i++) {
      const one = series[i];
      const ordinal = one < ordinals.length ? ordinals[one] : 0;
      if (ordinal === 0) continue;
      if (isWithin || (timesMs[i] >= fromMs && timesMs[i] < toMs)) starts[ordinal]++;
    }
  }
  for (let i = 1; i <= size; i++) starts[i] += starts[i - 1];
  return starts;
}
