const PAGE_ROWS = 65_536;
/** Maximum pages that are kept for later rows, 42 MB. */
const SPARE_PAGES = 32;

/**
 * Rows in the order of arrival: series by dense number, timestamp, value; 20 bytes each. Only the last page is written.
 */
export class HeadPage {
  /** Map epoch of the batches of the rows: it decides before the order which of two values is valid. */
  mapEpoch = 0;
  readonly series = new Uint32Array(PAGE_ROWS);
  readonly timesMs = new Float64Array(PAGE_ROWS);
  readonly values = new Float64Array(PAGE_ROWS);
  length = 0;
  minTimeMs = Number.POSITIVE_INFINITY;
  maxTimeMs = Number.NEGATIVE_INFINITY;

  /** Empties the page for rows of one map epoch. */
  begin(mapEpoch: number): this {
    this.mapEpoch = mapEpoch;
    this.length = 0;
    this.minTimeMs = Number.POSITIVE_INFINITY;
    this.maxTimeMs = Number.NEGATIVE_INFINITY;
    return this;
  }
}

/** One sketch in the order of arrival. */
export interface SketchRow {
  readonly mapEpoch: number;
  readonly series: number;
  readonly timeMs: number;
  /** A copy of the encoded sketch: it outlives its record. */
  readonly payload: Uint8Array;
}

/** The rows that a page has at one moment: later ones are behind `length`. */
export type RowPage = Pick<HeadPage, 'series' | 'timesMs' | 'values' | 'length' | 'minTimeMs' | 'maxTimeMs'>;

/** Rows of one map epoch, in log order. */
export interface EpochRows {
  readonly mapEpoch: number;
  readonly pages: readonly RowPage[];
  readonly sketches: readonly SketchRow[];
}

/** Columns of one share. */
export interface ShareColumns {
  readonly refs: Uint32Array;
  readonly timesMs: Float64Array;
  readonly values: Float64Array;
  readonly length: number;
}

/** The rows that were applied since the last commit, in log order (time-major). */
export class Head {
  #pages: HeadPage[] = [];
  /** Pages to reuse: fresh memory costs as much as filling it. */
  #spare: HeadPage[] = [];
  #sketches: SketchRow[] = [];
  #rows = 0;
  #sketchBytes = 0;

  /** Number of rows, numbers and sketches. */
  get rows(): number {
    return this.#rows + this.#sketches.length;
  }

  /** Bytes of the sketches, which the number of rows does not bound. */
  get sketchBytes(): number {
    return this.#sketchBytes;
  }

  /**
   * Appends a share whose refs are looked up in `dictionary`, ref → dense number. The caller has checked that all refs
   * are defined and that the times are within [minTimeMs, maxTimeMs].
   */
  append(
    mapEpoch: number,
    dictionary: Uint32Array,
    { refs, timesMs, values, length }: ShareColumns,
    minTimeMs: number,
    maxTimeMs: number,
  ): void {
    for (let from = 0; from < length; ) {
      const page = this.#openPage(mapEpoch);
      const at = page.length;
      const count = Math.min(length - from, PAGE_ROWS - at);
      const first = refs[from];
      if (refs[from + count - 1] - first === count - 1 && isRun(refs, from, count)) {
        page.series.set(dictionary.subarray(first, first + count), at);
      } else {
        const { series } = page;
        for (let i = 0; i < count; i++) series[at + i] = dictionary[refs[from + i]];
      }
      page.timesMs.set(timesMs.subarray(from, from + count), at);
      page.values.set(values.subarray(from, from + count), at);
      page.length = at + count;
      page.minTimeMs = Math.min(page.minTimeMs, minTimeMs);
      page.maxTimeMs = Math.max(page.maxTimeMs, maxTimeMs);
      from += count;
    }
    this.#rows += length;
  }

  appendSketch(row: SketchRow): void {
    this.#sketches.push(row);
    this.#sketchBytes += row.payload.length;
  }

  /** The rows of this moment by map epoch, ascending; nearly always there is one. They hold until `clear`. */
  byEpoch(): EpochRows[] {
    const epochs = new Set<number>();
    for (const { mapEpoch } of this.#pages) epochs.add(mapEpoch);
    for (const { mapEpoch } of this.#sketches) epochs.add(mapEpoch);
    return [...epochs]
      .sort((a, b) => a - b)
      .map((mapEpoch) => ({
        mapEpoch,
        pages: this.#pages
          .filter((page) => page.mapEpoch === mapEpoch)
          .map(({ series, timesMs, values, length, minTimeMs, maxTimeMs }) => {
            return { series, timesMs, values, length, minTimeMs, maxTimeMs };
          }),
        sketches: this.#sketches.filter((row) => row.mapEpoch === mapEpoch),
      }));
  }

  /** Removes the rows and keeps the memory. */
  clear(): void {
    this.#spare = [...this.#spare, ...this.#pages].slice(0, SPARE_PAGES);
    this.#pages = [];
    this.#sketches = [];
    this.#rows = 0;
    this.#sketchBytes = 0;
  }

  /**
   * The page for rows of an epoch. Rows of one epoch keep their order, because only the epoch's newest page is written.
   */
  #openPage(mapEpoch: number): HeadPage {
    const last = this.#pages.findLast((page) => page.mapEpoch === mapEpoch);
    if (last !== undefined && last.length < PAGE_ROWS) return last;
    const page = (this.#spare.pop() ?? new HeadPage()).begin(mapEpoch);
    this.#pages.push(page);
    return page;
  }
}

/** True when refs ascend by one each. Refs ascend, and the ends fit, so only equal neighbours must be excluded. */
function isRun(refs: Uint32Array, from: number, count: number): boolean {
  for (let i = from + 1; i < from + count; i++) if (refs[i] !== refs[i - 1] + 1) return false;
  return true;
}
