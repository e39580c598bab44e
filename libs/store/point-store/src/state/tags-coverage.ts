/** Number of remembered steps of needed `tags` offsets. With a tag store that lags further, no answer is complete. */
const ENTRIES = 1024;

/** A step of the needed `tags` offset. */
interface TagsCoverageEntry {
  readonly tagsOffset: number;
  /** Watermark before the first block that needs so much. */
  readonly watermarkMs: number;
}

/**
 * Maps an offset of `tags` to the watermark through which the blocks need only records below it. A tag store that lags
 * may not know the series of later blocks, so an answer that uses it is complete only through that watermark.
 */
export class TagsCoverage {
  #entries: TagsCoverageEntry[];

  constructor(entries: readonly TagsCoverageEntry[] = []) {
    this.#entries = [...entries];
  }

  /** Records a block that needs `tags` below `tagsOffset`, and the watermark before the block. */
  add(tagsOffset: number, watermarkMs: number): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && tagsOffset <= last.tagsOffset) return;
    // A tag store that lacks the records of either of two blocks at one watermark is complete through the same
    // watermark.
    if (last?.watermarkMs === watermarkMs) this.#entries.pop();
    this.#entries.push({ tagsOffset, watermarkMs });
    if (this.#entries.length > ENTRIES) this.#entries.shift();
  }

  /**
   * Lowers the remembered watermarks to the start of an era. Points of the block of an entry may belong right after it.
   */
  setBack(eraStartMs: number): void {
    this.#entries = this.#entries.map(({ tagsOffset, watermarkMs }) => {
      return { tagsOffset, watermarkMs: Math.min(watermarkMs, eraStartMs) };
    });
  }

  /** The watermark before the first block that needed more than `tagsOffset`; `watermarkMs` when there is none. */
  covered(tagsOffset: number, watermarkMs: number): number {
    const first = this.#entries.find((entry) => entry.tagsOffset > tagsOffset);
    if (first === undefined) return watermarkMs;
    const isOldest = first === this.#entries[0] && this.#entries.length === ENTRIES;
    return isOldest ? Number.NEGATIVE_INFINITY : Math.min(first.watermarkMs, watermarkMs);
  }

  get entries(): readonly TagsCoverageEntry[] {
    return this.#entries;
  }
}
