import type { Page } from '@tidemark/page';
import type { Selection } from '../series/selection.ts';

/**
 * Pages of a bucket in which each slot has the same series, and the same classes of times as its neighbours: in the order
 * of commits most versions of a page. So what a query finds of them it finds once, and not once a page.
 */
export class PageStack {
  /** A page after its older versions. */
  readonly pages: [Page, ...Page[]];
  /** By class of times, the slots that were selected. */
  readonly #selected: Uint32Array;
  /** What `countBefore` was asked last, and its answers by class; -1 where there is none. */
  #beforeMs = Number.NaN;
  readonly #before: Int32Array;

  constructor(page: Page, selection: Selection) {
    this.pages = [page];
    this.#selected = new Uint32Array(page.times.size);
    this.#before = new Int32Array(page.times.size);
    const { series } = page;
    for (let slot = 0; slot < series.length; slot++) {
      if (selection.has(series[slot])) this.#selected[page.classOf(slot)]++;
    }
  }

  /** Adds a page if it has the same slots as the others. */
  accepts(page: Page): boolean {
    const [first] = this.pages;
    const { series } = page;
    if (series.length !== first.series.length || page.times.size !== first.times.size) return false;
    const areSame = series === first.series && page.times.size === 1;
    for (let slot = 0; !areSame && slot < series.length; slot++) {
      if (series[slot] !== first.series[slot] || page.classOf(slot) !== first.classOf(slot)) return false;
    }
    this.pages.push(page);
    this.#beforeMs = Number.NaN;
    return true;
  }

  /** Points of the selected slots in the newest page, if their times touch [fromMs, toMs). */
  pointsWithin(fromMs: number, toMs: number): number {
    const { times } = this.pages[this.pages.length - 1];
    let points = 0;
    for (let timeClass = 0; timeClass < this.#selected.length; timeClass++) {
      const { firstMs, lastMs, count } = times.at(timeClass);
      if (lastMs >= fromMs && firstMs < toMs) points += count * this.#selected[timeClass];
    }
    return points;
  }

  /** Selected slots of `timeClass`. */
  selectedOf(timeClass: number): number {
    return this.#selected[timeClass];
  }

  /** Points of a slot of `timeClass` in all pages. */
  countOf(timeClass: number): number {
    return this.pages.reduce((count, { times }) => count + times.countOf(timeClass), 0);
  }

  /** Points of a slot of `timeClass` before `timeMs`. */
  countBefore(timeClass: number, timeMs: number): number {
    if (timeMs !== this.#beforeMs) {
      this.#beforeMs = timeMs;
      this.#before.fill(-1);
    }
    if (this.#before[timeClass] < 0) {
      this.#before[timeClass] = this.pages.reduce(
        (count, { times }) => count + times.countBefore(timeClass, timeMs),
        0,
      );
    }
    return this.#before[timeClass];
  }
}
