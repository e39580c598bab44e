import type { ChunkPoints, ChunkSketches } from '@tidemark/chunk';
import type { Head, SketchRow } from './head.ts';

/** Rows of some series within a range of time, by series, in log order. */
export class HeadRows {
  readonly #starts = new Map<number, number>();
  readonly #ends = new Map<number, number>();
  readonly #timesMs: Float64Array;
  readonly #values: Float64Array;
  readonly #sketches: ReadonlyMap<number, SketchRow[]>;
  /** Numbers and sketches together. */
  readonly length: number;

  constructor(
    series: Uint32Array,
    timesMs: Float64Array,
    values: Float64Array,
    counts: ReadonlyMap<number, number>,
    sketches: ReadonlyMap<number, SketchRow[]>,
    sketchCount: number,
  ) {
    let at = 0;
    for (const [one, count] of counts) {
      this.#starts.set(one, at);
      this.#ends.set(one, at);
      at += count;
    }
    this.#timesMs = new Float64Array(at);
    this.#values = new Float64Array(at);
    for (let i = 0; i < at; i++) {
      const end = this.#ends.get(series[i]) ?? 0;
      this.#timesMs[end] = timesMs[i];
      this.#values[end] = values[i];
      this.#ends.set(series[i], end + 1);
    }
    this.#sketches = sketches;
    this.length = at + sketchCount;
  }

  addPoints(series: number, target: ChunkPoints): void {
    const from = this.#starts.get(series);
    const to = this.#ends.get(series);
    if (from === undefined || to === undefined) return;
    for (let i = from; i < to; i++) target.push(this.#timesMs[i], this.#values[i]);
  }

  addSketches(series: number, target: ChunkSketches): void {
    for (const { timeMs, payload } of this.#sketches.get(series) ?? []) target.push(timeMs, payload);
  }
}

/** The head's rows of the selected series with timestamps in [fromMs, toMs). */
export function rowsOf(head: Head, selected: ReadonlySet<number>, fromMs: number, toMs: number): HeadRows {
  const counts = new Map<number, number>();
  const mask = maskOf(selected);
  let capacity = 1024;
  let series = new Uint32Array(capacity);
  let timesMs = new Float64Array(capacity);
  let values = new Float64Array(capacity);
  let length = 0;
  for (const page of head.pages) {
    if (page.maxTimeMs < fromMs || page.minTimeMs >= toMs) continue;
    for (let i = 0; i < page.length; i++) {
      const one = page.series[i];
      if (one >= mask.length || mask[one] === 0) continue;
      const timeMs = page.timesMs[i];
      if (timeMs < fromMs || timeMs >= toMs) continue;
      if (length === capacity) {
        capacity *= 2;
        series = grown(series, new Uint32Array(capacity));
        timesMs = grown(timesMs, new Float64Array(capacity));
        values = grown(values, new Float64Array(capacity));
      }
      series[length] = one;
      timesMs[length] = timeMs;
      values[length++] = page.values[i];
      counts.set(one, (counts.get(one) ?? 0) + 1);
    }
  }
  const sketches = new Map<number, SketchRow[]>();
  let sketchCount = 0;
  for (const row of head.sketches) {
    if (!selected.has(row.series) || row.timeMs < fromMs || row.timeMs >= toMs) continue;
    sketchCount++;
    const rows = sketches.get(row.series);
    if (rows === undefined) sketches.set(row.series, [row]);
    else rows.push(row);
  }
  return new HeadRows(series, timesMs, values, counts, sketches, sketchCount);
}

/** One byte a series up to the largest selected: 1 where it is. */
function maskOf(selected: ReadonlySet<number>): Uint8Array {
  let largest = -1;
  for (const series of selected) if (series > largest) largest = series;
  const mask = new Uint8Array(largest + 1);
  for (const series of selected) mask[series] = 1;
  return mask;
}

function grown<T extends Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
