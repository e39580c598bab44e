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
