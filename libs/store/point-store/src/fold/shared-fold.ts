import type { FoldProgram, TimeFolderOptions } from '@tidemark/fold';
import { foldProgram, ReportingIntervals } from '@tidemark/fold';
import type { StatedIntervals } from '@tidemark/model';
import { lowerBound, type Page } from '@tidemark/page';
import type { HeadTimes } from '../head/head-times.ts';
import type { HeadView } from '../head/head-view.ts';
import type { AggregatePlan } from '../read/aggregate-plan.ts';
import type { Timeline, TimelinePage } from '../read/timeline.ts';
import { contextRange } from './context-range.ts';
import type { NewestPoint } from './fold-findings.ts';

/** Numbers that describe times at most: three for each stretch with one step. */
const KEY_NUMBERS = 60;

/** Pages in which a series has one slot. */
export interface SlotPages {
  /** Which of the slots of a series it is. */
  readonly entry: number;
  readonly pages: Page[];
  readonly timeClasses: number[];
  /** Points of the slot in all of them. */
  count: number;
}

/** The first points of a slot of the head. */
export interface HeadPart {
  readonly view: HeadView;
  readonly times: HeadTimes;
  readonly count: number;
}

/** What the fold of a series depends on in addition to its times. */
export interface FoldContext {
  readonly plan: AggregatePlan;
  readonly options: TimeFolderOptions;
  readonly stated: StatedIntervals;
  /** All points since then are needed. */
  readonly neededSinceMs: number;
}

/** What a fold does with each value of series with the same times. */
export interface SharedTimes {
  /** Points of each series. */
  readonly length: number;
  /** The first value that the program has. */
  readonly from: number;
  readonly program: FoldProgram;
  /** A series that has older points, or newer ones, than were read has too few of them. */
  readonly lacksOlder: boolean;
  readonly lacksNewer: boolean;
  readonly newest: NewestPoint | undefined;
}

/** Where the values of series with the same times are. */
export interface SharedPlaces {
  /** Their pages in the order of time, and behind them the head. */
  readonly parts: readonly SlotPages[];
  readonly heads: readonly HeadPart[];
}

/** What series with the same times have in common: where their values are, and what the fold does with each. */
export interface SharedFold extends SharedPlaces, SharedTimes {}

/** The places of the values of a timeline, and of the same rows of the head; undefined where the points overlap. */
export function sharedPlaces(timeline: Timeline, heads: readonly HeadPart[]): SharedPlaces | undefined {
  const pages = inOrder(timeline.pages);
  if (pages === undefined || !followPages(pages, heads)) return undefined;
  return { parts: partsOf(pages), heads };
}

/** Says in few words which times there are, or undefined where that takes many: those of a step each, one after the other. */
export function timesKey({ parts, heads }: SharedPlaces): string | undefined {
  const key: number[] = [];
  let [lastMs, stepMs] = [Number.NaN, Number.NaN];
  const add = (firstMs: number, ownMs: number, count: number) => {
    if (firstMs === lastMs + stepMs && (ownMs === stepMs || count === 1)) {
      key[key.length - 1] += count;
    } else {
      key.push(firstMs, ownMs, count);
      stepMs = ownMs;
    }
    lastMs = firstMs + stepMs * (count - 1);
  };
  for (const { pages, timeClasses } of parts) {
    for (let i = 0; i < pages.length; i++) {
      const { firstMs, stepMs: ownMs, count } = pages[i].times.at(timeClasses[i]);
      if (ownMs < 0 || (ownMs === 0 && count > 1)) return undefined;
      add(firstMs, ownMs, count);
    }
  }
  for (const { times, count } of heads) {
    if (!times.isRegular) return undefined;
    add(times.timesMs[0], count > 1 ? times.timesMs[1] - times.timesMs[0] : 0, count);
  }
  return key.length > KEY_NUMBERS ? undefined : key.join(' ');
}

/** What the series share whose values are there; undefined where each must be folded alone. */
export function sharedTimes(
  places: SharedPlaces,
  { plan, options, stated, neededSinceMs }: FoldContext,
): SharedTimes | undefined {
  const length = lengthOf(places);
  const timesMs = new Float64Array(length);
  timesOf(places, timesMs, 0);
  for (let i = 1; i < length; i++) if (!(timesMs[i - 1] < timesMs[i])) return undefined;
  const range = contextRange(plan, neededSinceMs, timesMs, length);
  const from = Math.max(0, range.from);
  const own = timesMs.subarray(from, Math.min(length, range.to));
  const program = foldProgram(options, own, own.length, stated);
  if (program === undefined) return undefined;
  const lacks = { lacksOlder: range.from < 0, lacksNewer: range.to > length };
  const intervals = new ReportingIntervals(options.intervalMs);
  const newest = newestOf(intervals, own, new Float64Array(own.length), plan, options.isAmount, stated);
  return { length, from, program, ...lacks, newest };
}

/** The pages in the order of time if that is the order of the log, too. */
function inOrder(pages: readonly TimelinePage[]): readonly TimelinePage[] | undefined {
  const ordered = ascend(pages) ? pages : [...pages].sort((a, b) => timesIn(a).firstMs - timesIn(b).firstMs);
  for (let i = 1; i < ordered.length; i++) {
    const [before, after] = [pageOf(ordered[i - 1]), pageOf(ordered[i])];
    if (before.mapEpoch > after.mapEpoch) return undefined;
    if (before.mapEpoch === after.mapEpoch && before.fromOffset > after.fromOffset) return undefined;
  }
  return ordered;
}

function ascend(pages: readonly TimelinePage[]): boolean {
  for (let i = 1; i < pages.length; i++) if (timesIn(pages[i]).firstMs < timesIn(pages[i - 1]).firstMs) return false;
  return true;
}

/** Whether all of the head is behind the pages. */
function followPages(pages: readonly TimelinePage[], heads: readonly HeadPart[]): boolean {
  return pages.every((one) => heads.every(({ view }) => pageOf(one).mapEpoch <= view.mapEpoch));
}

function pageOf({ stack, index }: TimelinePage): Page {
  return stack.pages[index];
}

function timesIn(one: TimelinePage): { readonly firstMs: number } {
  return pageOf(one).times.at(one.timeClass);
}

/** Neighbours of one entry together. */
function partsOf(pages: readonly TimelinePage[]): SlotPages[] {
  const parts: SlotPages[] = [];
  for (const one of pages) {
    let part = parts.at(-1);
    if (part?.entry !== one.entry) {
      part = { entry: one.entry, pages: [], timeClasses: [], count: 0 };
      parts.push(part);
    }
    const page = pageOf(one);
    part.pages.push(page);
    part.timeClasses.push(one.timeClass);
    part.count += page.times.countOf(one.timeClass);
  }
  return parts;
}

/** Points of each series of these places. */
export function lengthOf({ parts, heads }: SharedPlaces): number {
  let length = 0;
  for (const { count } of parts) length += count;
  for (const { count } of heads) length += count;
  return length;
}

/** Copies the times of the values of places to a column, from index `to` on. */
export function timesOf({ parts, heads }: SharedPlaces, column: Float64Array, to: number): void {
  let at = to;
  for (const { pages, timeClasses } of parts) {
    for (let i = 0; i < pages.length; i++) {
      const { times } = pages[i];
      times.copyTimes(timeClasses[i], column, at);
      at += times.countOf(timeClasses[i]);
    }
  }
  for (const { times, count } of heads) {
    column.set(times.timesMs.subarray(0, count), at);
    at += count;
  }
}

/** The newest point before the end of the range, of a series of which `timesMs` are those of the range with its context. */
export function newestOf(
  intervals: ReportingIntervals,
  timesMs: Float64Array,
  values: Float64Array,
  { toMs }: AggregatePlan,
  isAmount: boolean,
  stated: StatedIntervals,
): NewestPoint | undefined {
  const newest = lowerBound(timesMs, toMs, 0, timesMs.length) - 1;
  if (newest < 0) return undefined;
  intervals.begin(timesMs, values, stated);
  return {
    timeMs: timesMs[newest],
    intervalMs: isAmount ? intervals.ofAmount(newest) : intervals.ofReading(newest),
    hasEnded: false,
    isFollowed: newest + 1 < timesMs.length,
  };
}
