import { SERIES_CLASS, type StatedIntervals } from '@tidemark/model';
import type { IntervalsAt } from '@tidemark/point-log';
import type { PartitionStore } from '../state/partition-state.ts';
import type { PageStack } from './page-stack.ts';
import type { SeriesRange } from './series-slots.ts';
import type { SlotLists } from './slot-lists.ts';
import { type StackSlot, Timeline } from './timeline.ts';

/**
 * Pages of the timelines that are kept, and for each of these as many as `ROOT_PAGES` in addition: 64 bytes each, so 4 MiB. Where
 * series share no timelines, each is needed twice.
 */
const KEPT_PAGES = 65_536;
const ROOT_PAGES = 4;
const CLASSES = 256;
/** Below these a pair of a number and a key is one safe integer. What lies above shares nothing. */
const KEY_LIMIT = 2 ** 29;
const NUMBER_LIMIT = 2 ** 24;

/** What is known of series. */
interface SeriesKnown {
  readonly table: PartitionStore['table'];
  readonly intervals: IntervalsAt;
}

/** Finds series that share their times, by the stacks and classes that their slots are in. */
export class Timelines {
  readonly #known: SeriesKnown;
  readonly #stacks: readonly PageStack[];
  readonly #lists: SlotLists;
  readonly #rangeOf: (series: number) => SeriesRange;
  /** Numbers of what was met: of a statement of intervals and a class of series, and behind it of each slot's class. */
  readonly #roots = new Map<StatedIntervals, number>();
  readonly #numbers = new Map<number, number>();
  #next = 1;
  readonly #timelines = new Map<number, Timeline>();
  #keptPages = 0;
  /** What was met last, which the next series mostly shares. */
  #lastStated: StatedIntervals | undefined;
  #lastStatedRoot = 0;
  #lastRoot = 0;
  readonly #lastKeys: number[] = [];
  #last: Timeline | undefined;

  constructor(
    known: SeriesKnown,
    stacks: readonly PageStack[],
    lists: SlotLists,
    rangeOf: (series: number) => SeriesRange,
  ) {
    this.#known = known;
    this.#stacks = stacks;
    this.#lists = lists;
    this.#rangeOf = rangeOf;
  }

  /** Pages that the kept timelines count as. */
  get keptPages(): number {
    return this.#keptPages;
  }

  /** The timeline of a series, whose slots in the lists are those of `ordinal`. */
  of(series: number, ordinal: number): Timeline {
    const lists = this.#lists;
    const keys = this.#lastKeys;
    const root = this.#rootOf(series);
    let isLast = root === this.#lastRoot;
    let length = 0;
    for (let entry = lists.first(ordinal); entry >= 0; entry = lists.next(entry)) {
      const stack = lists.stackOf(entry);
      const key = stack * CLASSES + this.#stacks[stack].pages[0].classOf(lists.slotOf(entry));
      if (key !== keys[length]) isLast = false;
      keys[length++] = key;
    }
    if (isLast && length === keys.length && this.#last !== undefined) return this.#last;
    keys.length = length;
    this.#lastRoot = root;
    this.#last = this.#find(series, ordinal, root, keys);
    return this.#last;
  }

  #find(series: number, ordinal: number, root: number, keys: readonly number[]): Timeline {
    let number = root;
    for (const key of keys) number = this.#numberOf(number, key);
    const known = this.#timelines.get(number);
    if (known !== undefined) return known;
    const lists = this.#lists;
    const found: StackSlot[] = [];
    for (let entry = lists.first(ordinal); entry >= 0; entry = lists.next(entry)) {
      found.push({ stack: this.#stacks[lists.stackOf(entry)], slot: lists.slotOf(entry) });
    }
    const timeline = new Timeline(number, found, this.#rangeOf(series));
    const pages = timeline.pages.length + ROOT_PAGES;
    if (this.#keptPages + pages > KEPT_PAGES) {
      this.#timelines.clear();
      this.#keptPages = 0;
    }
    this.#timelines.set(number, timeline);
    this.#keptPages += pages;
    return timeline;
  }

  /** The number of what a fold depends on in addition to times. */
  #rootOf(series: number): number {
    const { intervals, table } = this.#known;
    const stated = intervals.of(series);
    if (stated !== this.#lastStated) {
      this.#lastStated = stated;
      this.#lastStatedRoot = this.#rootOfStated(stated);
    }
    return this.#lastStatedRoot + table.seriesClass(series);
  }

  #rootOfStated(stated: StatedIntervals): number {
    const known = this.#roots.get(stated);
    if (known !== undefined) return known;
    const root = this.#next;
    // One for each class.
    this.#next += Object.keys(SERIES_CLASS).length + 1;
    this.#roots.set(stated, root);
    return root;
  }

  #numberOf(before: number, key: number): number {
    if (before >= NUMBER_LIMIT || key >= KEY_LIMIT) return this.#next++;
    const pair = before * KEY_LIMIT + key;
    let number = this.#numbers.get(pair);
    if (number === undefined) {
      number = this.#next++;
      this.#numbers.set(pair, number);
    }
    return number;
  }
}
