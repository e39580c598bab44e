/** Number of remembered steps of needed `tags` offsets. With a tag store that lags further, no answer is complete. */
const ENTRIES = 1024;

/**
 * Maps an offset of `tags` to the watermark through which the blocks need only records below it. A tag store that lags
 * may not know the series of later blocks, so an answer that uses it is complete only through that watermark.
 */
export class TagsCoverage {
  #entries: { readonly tagsOffset: number; readonly watermarkMs: number }[] = [];

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

  /** The watermark before the first block that needed more than `tagsOffset`; `watermarkMs` when there is none. */
  covered(tagsOffset: number, watermarkMs: number): number {
    const first = this.#entries.find((entry) => entry.tagsOffset > tagsOffset);
    if (first === undefined) return watermarkMs;
    const isOldest = first === this.#entries[0] && this.#entries.length === ENTRIES;
    return isOldest ? Number.NEGATIVE_INFINITY : Math.min(first.watermarkMs, watermarkMs);
  }

  get entries(): readonly { readonly tagsOffset: number; readonly watermarkMs: number }[] {
    return this.#entries;
  }
}
