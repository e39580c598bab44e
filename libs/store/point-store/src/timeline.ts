import { FoundSlot } from './found-slot.ts';
import type { PageStack } from './page-stack.ts';
import { type SeriesRange, SeriesSlots } from './series-slots.ts';

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

  /** `stacks` and `timeClasses` are those of the slots of a series in the order in which they were found. */
  constructor(number: number, stacks: readonly PageStack[], timeClasses: readonly number[], range: SeriesRange) {
    this.number = number;
    const slots = new SeriesSlots();
    const pages = new Map<FoundSlot, TimelinePage>();
    stacks.forEach((stack, entry) => {
      const timeClass = timeClasses[entry];
      stack.pages.forEach((page, index) => {
        const found = new FoundSlot(page, slotOfClass(stack, timeClass));
        slots.add(found);
        pages.set(found, { entry, stack, index, timeClass });
      });
    });
    this.pages = slots.pick(range).flatMap((found) => pages.get(found) ?? []);
    this.sinceMs = slots.sinceMs;
    this.untilMs = slots.untilMs;
    this.leavesOlder = slots.leavesOlder;
    this.leavesNewer = slots.leavesNewer;
  }
}

function slotOfClass({ pages: [page] }: PageStack, timeClass: number): number {
  for (let slot = 0; slot < page.slots; slot++) if (page.classOf(slot) === timeClass) return slot;
  throw new Error(`no slot has class ${timeClass}`);
}
