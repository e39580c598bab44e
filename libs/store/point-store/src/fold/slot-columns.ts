import { PAGE_RECORD_BYTES, type Page } from '@tidemark/page';
import type { PageCodec } from '../pages/page-codec.ts';
import type { RangePages } from '../read/range-pages.ts';
import type { SharedPlaces, SlotPages } from './shared-fold.ts';

/** Decodes the values of series that are in the same pages, one series after the other, in the memory of the decoder. */
export class SlotColumns {
  readonly #codec: PageCodec;
  readonly #pages: RangePages;
  /** Of each part, where the records of its pages lie. */
  readonly #records: number[] = [];
  #generation = -1;
  /** All values that were decoded since it was set are integers, see FoldKernel. */
  areWhole = false;

  constructor(codec: PageCodec, pages: RangePages) {
    this.#codec = codec;
    this.#pages = pages;
  }

  /** The pages are where they were loaded. */
  get isValid(): boolean {
    return this.#codec.decoder.generation === this.#generation;
  }

  /**
   * Loads the pages of the parts, and puts their records at address `at` of the memory; returns the first address behind
   * them. Undefined where the pages are too large to be there together.
   */
  load(parts: readonly SlotPages[], at: number): number | undefined {
    const { decoder } = this.#codec;
    this.#records.length = 0;
    this.#generation = decoder.generation;
    let next = at;
    for (const { pages, timeClasses } of parts) {
      if (!decoder.writeRecords(pages, timeClasses, next)) return undefined;
      this.#records.push(next);
      next += PAGE_RECORD_BYTES * pages.length;
    }
    // The pages of one part may have taken the place of those of another: then they don't fit, or do when tried again.
    if (parts.length > 1 && !this.isValid && !this.#reload(parts)) return undefined;
    this.#generation = decoder.generation;
    return next;
  }

  #reload(parts: readonly SlotPages[]): boolean {
    const { decoder } = this.#codec;
    const { generation } = decoder;
    parts.forEach(({ pages, timeClasses }, i) => {
      decoder.writeRecords(pages, timeClasses, this.#records[i]);
    });
    return decoder.generation === generation;
  }

  /** Decodes all values of a series to address `to`. False where that took the place of pages. */
  decode({ parts, heads }: SharedPlaces, series: number, to: number): boolean {
    const { decoder, folds } = this.#codec;
    let at = to;
    for (let i = 0; i < parts.length; i++) {
      const { entry, pages, count } = parts[i];
      const slot = this.#pages.slotOf(series, entry);
      const records = this.#records[i];
      const end = records + PAGE_RECORD_BYTES * pages.length;
      const decoded = decoder.kernel.loops.decodeSlots(records, end, slot, at);
      if (decoded !== 2) this.areWhole = false;
      if (decoded === 0) this.#decodeOdd(pages, slot, at);
      at += 8 * count;
    }
    for (const { view, count } of heads) {
      view.gather(series, count, decoder.kernel, at);
      if (this.areWhole && !folds.areWhole(at, count)) this.areWhole = false;
      at += 8 * count;
    }
    return this.isValid;
  }

  /** Decodes a slot that has exceptions, or values that are not decimals. */
  #decodeOdd(pages: readonly Page[], slot: number, to: number): void {
    let at = to;
    for (const page of pages) {
      this.#codec.decoder.decode(page, slot, at);
      at += 8 * page.countOf(slot);
    }
  }
}
