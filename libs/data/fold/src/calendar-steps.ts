import { DAY_MS } from '@tidemark/model/day';
import { assert } from '@tidemark/ports';
import type { ZoneClock } from './zone-clock.ts';

export const CALENDAR_UNITS = ['daily', 'weekly', 'monthly'] as const;
export type CalendarUnit = (typeof CALENDAR_UNITS)[number];

/** Steps of a calendar: days, weeks or months of a time zone. */
export interface Calendar {
  readonly unit: CalendarUnit;
  /** Where a step begins: the hour of a day (0 to 23), the day of a week (0 Sunday to 6), the day of a month (1 to 28). */
  readonly begins: number;
  readonly zone: string;
}

/** Where steps begin when a query says nothing: at midnight, on Monday, on the first. */
export const CALENDAR_BEGINS: Readonly<Record<CalendarUnit, number>> = { daily: 0, weekly: 1, monthly: 1 };

const MIN_DAYS: Readonly<Record<CalendarUnit, number>> = { daily: 0.9, weekly: 6.9, monthly: 27.9 };

/** More steps of the calendar than this are in no range of that length. */
export function mostCalendarSteps(unit: CalendarUnit, rangeMs: number): number {
  return Math.ceil(rangeMs / (MIN_DAYS[unit] * DAY_MS)) + 2;
}

/**
 * The starts of the steps that touch [fromMs, toMs) and of `before` steps earlier, then the end of the last, ms, strictly
 * ascending. A day without its midnight begins at the first time after it; one with two begins at the first. The days
 * that clocks skip entirely (Samoa's 30 December 2011) are left out.
 */
export function calendarStarts(
  { unit, begins }: Calendar,
  clock: ZoneClock,
  fromMs: number,
  toMs: number,
  before: number,
): number[] {
  assert(fromMs < toMs, 'the range is not empty');
  const startOf = (index: number) => clock.utcMs(localStart(unit, begins, index));
  let index = indexOf(unit, clock.localMs(fromMs));
  while (startOf(index) > fromMs) index--;
  while (startOf(index + 1) <= fromMs) index++;
  const starts = [startOf(index)];
  for (let last = index; starts[starts.length - 1] < toMs; last++) {
    const next = startOf(last + 1);
    if (next > starts[starts.length - 1]) starts.push(next);
  }
  const earlier: number[] = [];
  let first = starts[0];
  while (earlier.length < before) {
    index--;
    const start = startOf(index);
    if (start >= first) continue;
    earlier.push(start);
    first = start;
  }
  return [...earlier.reverse(), ...starts];
}

/** The number of the step near a local time; steps are counted from 1970. */
function indexOf(unit: CalendarUnit, localMs: number): number {
  const days = Math.floor(localMs / DAY_MS);
  if (unit === 'daily') return days;
  if (unit === 'weekly') return Math.floor((days + THURSDAY) / 7);
  const date = new Date(localMs);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

/** 1 January 1970 was a Thursday. */
const THURSDAY = 4;

function localStart(unit: CalendarUnit, begins: number, index: number): number {
  if (unit === 'daily') return index * DAY_MS + begins * 3_600_000;
  if (unit === 'weekly') return (index * 7 - THURSDAY + begins) * DAY_MS;
  return Date.UTC(1970, index, begins);
}
