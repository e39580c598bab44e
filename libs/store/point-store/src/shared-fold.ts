import type { FoldProgram, TimeFolderOptions } from '@tidemark/fold';
import { foldProgram, ReportingIntervals } from '@tidemark/fold';
import type { StatedIntervals } from '@tidemark/model';
import type { Page } from '@tidemark/page';
import type { AggregatePlan } from './aggregate-plan.ts';
import { contextRange } from './context-range.ts';
import type { NewestPoint } from './fold-findings.ts';
import type { HeadTimes } from './head-times.ts';
import type { HeadView } from './head-view.ts';
import { lowerBound } from './lower-bound.ts';
import type { Timeline, TimelinePage } from './timeline.ts';

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

/** What series with the same times have in common: where their values are, and what the fold does with each. */
export interface SharedFold {
  /** Their pages in the order of time, and behind them the head. */
  readonly parts: readonly SlotPages[];
  readonly heads: readonly HeadPart[];
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

/** What the series of a timeline and of the same rows of the head share; undefined where each must be folded alone. */
export function sharedFold(
  timeline: Timeline,
  heads: readonly HeadPart[],
  { plan, options, stated, neededSinceMs }: FoldContext,
): SharedFold | undefined {
  const pages = inOrder(timeline.pages);
  if (pages === undefined || !followPages(pages, heads)) return undefined;
  const parts = partsOf(pages);
  const timesMs = timesOf(parts, heads);
  const { length } = timesMs;
  for (let i = 1; i < length; i++) if (!(timesMs[i - 1] < timesMs[i])) return undefined;
  const range = contextRange(plan, neededSinceMs, timesMs, length);
  const from = Math.max(0, range.from);
  const own = timesMs.subarray(from, Math.min(length, range.to));
  const program = foldProgram(options, own, own.length, stated);
  if (program === undefined) return undefined;
  const lacks = { lacksOlder: range.from < 0, lacksNewer: range.to > length };
  return { parts, heads, length, from, program, ...lacks, newest: newestOf(own, plan, options, stated) };
}

/** The pages in the order of time if that is the order of the log, too. */
function inOrder(pages: readonly TimelinePage[]): readonly TimelinePage[] | undefined {
  const ordered = [...pages].sort((a, b) => timesIn(a).firstMs - timesIn(b).firstMs);
  for (let i = 1; i < ordered.length; i++) {
    const [before, after] = [pageOf(ordered[i - 1]), pageOf(ordered[i])];
    if (before.mapEpoch > after.mapEpoch) return undefined;
    if (before.mapEpoch === after.mapEpoch && before.fromOffset > after.fromOffset) return undefined;
  }
  return ordered;
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

function timesOf(parts: readonly SlotPages[], heads: readonly HeadPart[]): Float64Array {
  let length = 0;
  for (const { count } of [...parts, ...heads]) length += count;
  const timesMs = new Float64Array(length);
  let at = 0;
  for (const { pages, timeClasses } of parts) {
    pages.forEach(({ times }, i) => {
      times.copyTimes(timeClasses[i], timesMs, at);
      at += times.countOf(timeClasses[i]);
    });
  }
  for (const { times, count } of heads) {
    timesMs.set(times.timesMs.subarray(0, count), at);
    at += count;
  }
  return timesMs;
}

function newestOf(
  timesMs: Float64Array,
  { toMs }: AggregatePlan,
  { isAmount, intervalMs }: TimeFolderOptions,
  stated: StatedIntervals,
): NewestPoint | undefined {
  const newest = lowerBound(timesMs, timesMs.length, toMs) - 1;
  if (newest < 0) return undefined;
  const intervals = new ReportingIntervals(intervalMs);
  intervals.begin(timesMs, new Float64Array(timesMs.length), stated);
  return {
    timeMs: timesMs[newest],
    intervalMs: isAmount ? intervals.ofAmount(newest) : intervals.ofReading(newest),
    hasEnded: false,
    isFollowed: newest + 1 < timesMs.length,
  };
}
