/** How many steps of needed `tags` offsets are remembered; for a tag store further behind nothing is complete. */
const ENTRIES = 1024;

/**
 * Through which watermark the blocks so far needed only `tags` records below an offset. A tag store that lags behind
 * may not know the series of later blocks, so an answer with its help is complete only that far.
 */
export class TagsCoverage {
  #entries: { readonly tagsOffset: number; readonly watermarkMs: number }[] = [];

  /** A block that needs `tags` below `tagsOffset` is applied, at this watermark before it. */
  add(tagsOffset: number, watermarkMs: number): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && tagsOffset <= last.tagsOffset) return;
    // Who knows less than either of two blocks at one watermark is complete just as far.
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
