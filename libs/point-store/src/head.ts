const PAGE_ROWS = 65_536;

/** Rows as they came: series by dense number, timestamp, value. A page is filled once and then never changes. */
export class HeadPage {
  readonly series = new Uint32Array(PAGE_ROWS);
  readonly timesMs = new Float64Array(PAGE_ROWS);
  readonly values = new Float64Array(PAGE_ROWS);
  length = 0;
  minTimeMs = Number.POSITIVE_INFINITY;
  maxTimeMs = Number.NEGATIVE_INFINITY;
}

/** One sketch as it came. */
export interface SketchRow {
  readonly series: number;
  readonly timeMs: number;
  /** A copy: it outlives the record that it came in. */
  readonly payload: Uint8Array;
}

/** What was applied since the last commit, in log order (time-major). */
export class Head {
  pages: HeadPage[] = [];
  sketches: SketchRow[] = [];
  rows = 0;
  /** Map epoch of all rows: it decides which of two values of one timestamp stands. */
  mapEpoch = 0;

  /**
   * Appends columns whose refs are looked up in `dictionary`, the lane's ref → dense array. All refs must be defined
   * (the caller checked the largest).
   */
  append(
    dictionary: Uint32Array,
    refs: Uint32Array,
    timesMs: Float64Array,
    values: Float64Array,
    length: number,
    minTimeMs: number,
    maxTimeMs: number,
  ): void {
    let from = 0;
    while (from < length) {
      const page = this.#openPage();
      const at = page.length;
      const count = Math.min(length - from, PAGE_ROWS - at);
      const { series } = page;
      for (let i = 0; i < count; i++) series[at + i] = dictionary[refs[from + i]];
      page.timesMs.set(timesMs.subarray(from, from + count), at);
      page.values.set(values.subarray(from, from + count), at);
      page.length = at + count;
      page.minTimeMs = Math.min(page.minTimeMs, minTimeMs);
      page.maxTimeMs = Math.max(page.maxTimeMs, maxTimeMs);
      from += count;
    }
    this.rows += length;
  }

  /** Hands out what there is and starts anew. */
  take(): { pages: HeadPage[]; sketches: SketchRow[]; rows: number; mapEpoch: number } {
    const taken = { pages: this.pages, sketches: this.sketches, rows: this.rows, mapEpoch: this.mapEpoch };
    this.pages = [];
    this.sketches = [];
    this.rows = 0;
    return taken;
  }

  #openPage(): HeadPage {
    const last = this.pages.at(-1);
    if (last !== undefined && last.length < PAGE_ROWS) return last;
    const page = new HeadPage();
    this.pages.push(page);
    return page;
  }
}
