import type { ChunkPoints, ChunkSketches } from '@tidemark/chunk';
import type { SlicedWork } from '@tidemark/ports';
import type { EpochRows, RowPage, SketchRow } from './head.ts';

/** Cost of a row that is read, in units of the cost of a point. */
const ROW_COST = 1 / 16;

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

  private constructor({ mapEpoch, sketches }: EpochRows, range: RowRange, starts: Uint32Array) {
    const { selection, fromMs, toMs } = range;
    this.mapEpoch = mapEpoch;
    this.#selection = selection;
    this.#starts = starts;
    const rows = starts[selection.size];
    this.#timesMs = new Float64Array(rows);
    this.#values = new Float64Array(rows);
    const own = sketches.filter(({ series, timeMs }) => selection.has(series) && timeMs >= fromMs && timeMs < toMs);
    this.#sketches = Map.groupBy(own, ({ series }) => series);
    this.length = rows + own.length;
  }

  /** Copies the rows of a range. */
  static *of(rows: EpochRows, range: RowRange): SlicedWork<HeadRows, number> {
    const touched = rows.pages.filter((page) => page.maxTimeMs >= range.fromMs && page.minTimeMs < range.toMs);
    const found = new HeadRows(rows, range, yield* startsOf(touched, range));
    yield rows.sketches.length * ROW_COST;
    yield* found.#fill(touched, range);
    return found;
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

  *#fill(pages: readonly RowPage[], { selection, fromMs, toMs }: RowRange): SlicedWork<void, number> {
    const { ordinals } = selection;
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
      yield length * ROW_COST;
    }
  }
}

/** The series that are selected, and their times in [fromMs, toMs). */
export interface RowRange {
  readonly selection: Selection;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Selected series, ascending, each with its ordinal from 1 on. */
export class Selection {
  readonly series: Uint32Array;
  /** Ordinals by series up to the highest selected one; 0 for a series that is not selected. */
  readonly ordinals: Uint32Array;

  /** @param selected ascending, also several times. */
  constructor(selected: ArrayLike<number>) {
    const sorted = Uint32Array.from(selected);
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

/** The head's rows of a range, by map epoch, ascending. */
export function* rowsOf(rows: readonly EpochRows[], range: RowRange): SlicedWork<HeadRows[], number> {
  const found: HeadRows[] = [];
  for (const ofEpoch of rows) found.push(yield* HeadRows.of(ofEpoch, range));
  return found;
}

function* startsOf(
  pages: readonly RowPage[],
  { selection: { ordinals, size }, fromMs, toMs }: RowRange,
): SlicedWork<Uint32Array, number> {
  const starts = new Uint32Array(size + 1);
  for (const { series, timesMs, length, minTimeMs, maxTimeMs } of pages) {
    const isWithin = minTimeMs >= fromMs && maxTimeMs < toMs;
    for (let i = 0; i < length; i++) {
      const one = series[i];
      const ordinal = one < ordinals.length ? ordinals[one] : 0;
      if (ordinal === 0) continue;
      if (isWithin || (timesMs[i] >= fromMs && timesMs[i] < toMs)) starts[ordinal]++;
    }
    yield length * ROW_COST;
  }
  for (let i = 1; i <= size; i++) starts[i] += starts[i - 1];
  return starts;
}
