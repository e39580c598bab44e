import type { Page } from '@tidemark/page';

/** The points that one series has in one page. */
export class FoundSlot {
  readonly page: Page;
  readonly slot: number;
  readonly count: number;
  readonly minTimeMs: number;
  readonly maxTimeMs: number;
  /** The answer depends on it. */
  isPicked = false;

  constructor(page: Page, slot: number) {
    this.page = page;
    this.slot = slot;
    const timeClass = page.classOf(slot);
    this.count = page.times.countOf(timeClass);
    this.minTimeMs = page.times.firstOf(timeClass);
    this.maxTimeMs = page.times.lastOf(timeClass);
  }

  /** Points of the slot before `timeMs`. */
  countBefore(timeMs: number): number {
    if (this.maxTimeMs < timeMs) return this.count;
    return this.minTimeMs >= timeMs ? 0 : this.page.times.countBefore(this.page.classOf(this.slot), timeMs);
  }
}
