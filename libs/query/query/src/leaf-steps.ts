import { calendarStarts, type StepShape, startOf, TimeShifter, ZoneClock } from '@tidemark/fold';
import { TidemarkError } from '@tidemark/ports';
import { type LeafView, type QueryLeaf, readStepsOf } from '@tidemark/query-language';
import { type AlignedSteps, stepsOf } from './steps.ts';

/** Steps of a leaf that the stores fold with one request: equally long, and one after the other. */
export interface LeafSegment extends AlignedSteps {
  /** The step of the leaf that the first of these is. */
  readonly index: number;
}

/** The steps of a leaf as the answer shows them, and the times that they are read at. */
export interface LeafSteps {
  readonly fromMs: number;
  /** Of calendar steps the length of the longest. */
  readonly stepMs: number;
  /** With those before the range. */
  readonly steps: number;
  /** Steps before the range. */
  readonly before: number;
  /** Starts of calendar steps, and the end of the last. */
  readonly startsMs?: readonly number[];
  /** Ascending by step. Steps that are read before 1970 are in none, and have no value. */
  readonly segments: readonly LeafSegment[];
}

/** Requests that one leaf may need of a partition: 5 years of months and of changes of clocks. */
const MAX_SEGMENTS = 128;
/** The calendar's years have four digits. */
const CALENDAR_END_MS = Date.UTC(10_000, 0, 1);

/** The steps of a leaf in the range, without those before it. `automaticMs` is for a leaf that names none. */
export function shapeOf(leaf: QueryLeaf, fromMs: number, toMs: number, automaticMs: number): StepShape {
  const startsMs = calendarOf(leaf, fromMs, toMs, 0);
  if (startsMs !== undefined) {
    return { stepMs: longest(startsMs), steps: startsMs.length - 1, isCalendar: true };
  }
  const { stepMs, steps } = stepsOf(leaf, fromMs, toMs, automaticMs);
  const read = readStepsOf(leaf);
  return { stepMs: stepMs * read, steps: steps / read, isCalendar: false };
}

/** The steps of a leaf for a view, and where they are read. `invalid_argument` when they take too many requests. */
export function leafSteps(
  leaf: QueryLeaf,
  fromMs: number,
  toMs: number,
  view: LeafView,
  automaticMs: number,
): LeafSteps {
  const { shifts } = view;
  const before = view.before * readStepsOf(leaf);
  const startsMs = calendarOf(leaf, fromMs, toMs, before);
  const aligned = stepsOf(leaf, fromMs, toMs, automaticMs);
  const stepMs = startsMs === undefined ? aligned.stepMs : longest(startsMs);
  const steps = startsMs === undefined ? aligned.steps + before : startsMs.length - 1;
  const firstMs = startsMs?.[0] ?? aligned.fromMs - before * stepMs;
  if (shifts.some(({ type }) => type === 'calendar')) checkCalendarRange(toMs);
  const shifter = new TimeShifter(shifts);
  const segments: { -readonly [field in keyof LeafSegment]: LeafSegment[field] }[] = [];
  for (let i = 0; i < steps; i++) {
    const readMs = shifter.shifted(startsMs?.[i] ?? firstMs + i * stepMs);
    // Calendar steps are read as the calendar steps that they are shifted to, all others with their own length.
    const lengthMs = startsMs === undefined ? stepMs : shifter.shifted(startsMs[i + 1]) - readMs;
    if (!(readMs >= 0 && lengthMs > 0)) continue;
    const last = segments[segments.length - 1];
    if (last !== undefined && last.index + last.steps === i && last.toMs === readMs && last.stepMs === lengthMs) {
      last.toMs += lengthMs;
      last.steps++;
    } else segments.push({ index: i, fromMs: readMs, toMs: readMs + lengthMs, stepMs: lengthMs, steps: 1 });
  }
  if (segments.length > MAX_SEGMENTS) {
    throw new TidemarkError(
      'invalid_argument',
      `the calendar of ${leaf.metric} takes ${segments.length} requests per partition (limit: ${MAX_SEGMENTS}); ask for a shorter range`,
      { field: 'query', limit: MAX_SEGMENTS },
    );
  }
  return { fromMs: firstMs, stepMs, steps, before, ...(startsMs === undefined ? {} : { startsMs }), segments };
}

/**
 * Through when the shown steps are complete, when everything before `throughMs` has been read: a step shows another time
 * than it is read at, so it is complete that much later or earlier. The start of the first step that is not complete, and
 * what of it is.
 */
export function shownThroughMs(steps: LeafSteps, throughMs: number): number {
  for (const { index, fromMs, toMs, stepMs } of steps.segments) {
    if (throughMs >= toMs) continue;
    const step = Math.max(0, Math.floor((throughMs - fromMs) / stepMs));
    const start = startOf(steps, index + step);
    const done = throughMs - fromMs - step * stepMs;
    // Before the first step the answer is as complete as the shifted time; behind it all steps before this one are.
    if (done < 0) return index === steps.segments[0].index ? start + done : start;
    return Math.min(start + done, startOf(steps, index + step + 1) - 1);
  }
  const last = steps.segments[steps.segments.length - 1];
  return last === undefined ? throughMs : startOf(steps, last.index + last.steps) + throughMs - last.toMs;
}

function calendarOf(leaf: QueryLeaf, fromMs: number, toMs: number, before: number): number[] | undefined {
  const calendar = leaf.rollup?.calendar;
  if (calendar === undefined) return undefined;
  checkCalendarRange(toMs);
  return calendarStarts(calendar, new ZoneClock(calendar.zone), fromMs, toMs, before);
}

function checkCalendarRange(toMs: number): void {
  if (toMs <= CALENDAR_END_MS) return;
  throw new TidemarkError('invalid_argument', `to_ms: ${toMs} (limit: the year 9999 for calendars)`, {
    field: 'to_ms',
  });
}

function longest(startsMs: readonly number[]): number {
  let length = 0;
  for (let i = 1; i < startsMs.length; i++) length = Math.max(length, startsMs[i] - startsMs[i - 1]);
  return length;
}
