import { Bitmap } from '@tidemark/bitmap';
import type { SlicedWork } from '@tidemark/ports';
import { ascending } from './ascending.ts';

/** Series that are marked, or passed, in one piece, and what one costs in units of the cost of a point. */
const PIECE = 65_536;
const MARK_COST = 1 / 64;

/** Selected series, ascending, each with its ordinal from 1 on. */
export class Selection {
  readonly series: Uint32Array;
  /** Ordinals by series up to the highest selected one; 0 for a series that is not selected. */
  readonly ordinals: Uint32Array;
  #bitmap: Bitmap | undefined;

  /** @param selected ascending, also several times; of an array of numbers its own content is changed. */
  constructor(selected: ArrayLike<number>) {
    const sorted = selected instanceof Uint32Array ? selected : Uint32Array.from(selected);
    let size = 0;
    for (const series of sorted) if (size === 0 || series !== sorted[size - 1]) sorted[size++] = series;
    this.series = sorted.subarray(0, size);
    this.ordinals = new Uint32Array((this.series.at(-1) ?? -1) + 1);
    for (let i = 0; i < this.series.length; i++) this.ordinals[this.series[i]] = i + 1;
  }

  /** As a bitmap, which the first call makes. */
  *bitmap(): SlicedWork<Bitmap, number> {
    if (this.#bitmap !== undefined) return this.#bitmap;
    const bitmap = new Bitmap();
    for (let at = 0; at < this.size; at += PIECE) {
      const piece = this.series.subarray(at, at + PIECE);
      bitmap.addAll(piece);
      yield piece.length * MARK_COST;
    }
    this.#bitmap = bitmap;
    return bitmap;
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

/** With so many numbers below the highest one for each that is selected, marking them takes longer than sorting. */
const SPARSE = 16;

/** The series of all groups, each of which is ascending. */
export function* selectionOf(groups: readonly Uint32Array[]): SlicedWork<Selection, number> {
  let [size, highest] = [0, -1];
  for (const group of groups) {
    size += group.length;
    highest = Math.max(highest, group.at(-1) ?? -1);
  }
  const all = new Uint32Array(size);
  if (highest >= SPARSE * size) {
    let at = 0;
    for (const group of groups) {
      all.set(group, at);
      at += group.length;
    }
    return new Selection(yield* ascending(all));
  }
  const isSelected = new Uint8Array(highest + 1);
  for (const group of groups) {
    for (let i = 0; i < group.length; i++) isSelected[group[i]] = 1;
    yield group.length * MARK_COST;
  }
  let length = 0;
  for (let series = 0; series <= highest; series++) {
    if (isSelected[series] === 1) all[length++] = series;
    if ((series + 1) % PIECE === 0) yield PIECE * MARK_COST;
  }
  return new Selection(all.subarray(0, length));
}
