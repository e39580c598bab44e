import { FoundSlot } from './found-slot.ts';
import type { PageStack } from './page-stack.ts';
import { type SeriesRange, SeriesSlots } from './series-slots.ts';

/** A slot of the pages of a stack. */
export interface StackSlot {
  readonly stack: PageStack;
  readonly slot: number;
}

/** A page of a timeline on which an answer depends. */
export interface TimelinePage {
  /** Which of the slots of a series it has. */
  readonly entry: number;
  /** The page as one of its stack. */
  readonly stack: PageStack;
  readonly index: number;
  readonly timeClass: number;
}

/**
 * The times of one or more series that are in the same pages, or in neighbours, and what a range needs of them. Most of
 * the series of a query share a few timelines.
 */
export class Timeline {
  /** Distinguishes it from the other ones of a query. */
  readonly number: number;
  /** The pages on which the answer depends, in the order in which they were found. */
  readonly pages: readonly TimelinePage[];
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly leavesOlder: boolean;
  readonly leavesNewer: boolean;
  /** Selected series that may have these times, at most; 0 where nothing of them is in pages. */
  readonly sharers: number;

  /** `found` are the slots of one of the series, in the order in which they were found. */
  constructor(number: number, found: readonly StackSlot[], range: SeriesRange) {
    this.number = number;
    const slots = new SeriesSlots();
    const pages: TimelinePage[] = [];
    const all: FoundSlot[] = [];
    let sharers = found.length === 0 ? 0 : Number.POSITIVE_INFINITY;
    found.forEach(({ stack, slot }, entry) => {
      const timeClass = stack.pages[0].classOf(slot);
      sharers = Math.min(sharers, stack.selectedOf(timeClass));
      stack.pages.forEach((page, index) => {
        const one = new FoundSlot(page, slot);
        slots.add(one);
        all.push(one);
        pages.push({ entry, stack, index, timeClass });
      });
    });
    const picked = slots.pick(range);
    // Those that were picked are in the order of all.
    let next = 0;
    this.pages = picked.length === all.length ? pages : pages.filter((_, i) => all[i] === picked[next] && ++next > 0);
    this.sinceMs = slots.sinceMs;
    this.untilMs = slots.untilMs;
    this.leavesOlder = slots.leavesOlder;
    this.leavesNewer = slots.leavesNewer;
    this.sharers = sharers;
  }
}
