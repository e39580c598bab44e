import type { Page, TimeClass } from '@tidemark/page';

/** The points that one series has in one page. A query may find millions of these: times stay in the class that slots share. */
export class FoundSlot {
  readonly page: Page;
  readonly slot: number;
  readonly #times: TimeClass;
  /** The answer depends on it. */
  isPicked = false;

  constructor(page: Page, slot: number) {
    this.page = page;
    this.slot = slot;
    this.#times = page.times.at(page.classOf(slot));
  }

  get count(): number {
    return this.#times.count;
  }

  get minTimeMs(): number {
    return this.#times.firstMs;
  }

  get maxTimeMs(): number {
    return this.#times.lastMs;
  }

  /** Points of the slot before `timeMs`. */
  countBefore(timeMs: number): number {
    if (this.maxTimeMs < timeMs) return this.count;
    return this.minTimeMs >= timeMs ? 0 : this.page.times.countBefore(this.page.classOf(this.slot), timeMs);
  }
}
