import {
  CALENDAR_BEGINS,
  CALENDAR_UNITS,
  type Calendar,
  type CalendarUnit,
  REFOLD_METHODS,
} from '@tidemark/fold/words';
import { ROLLUP_METHODS, type Rollup, type RollupAgain } from './ast.ts';
import type { Token } from './scanner.ts';
import { ZONE } from './shift-functions.ts';
import type { TokenReader } from './token-reader.ts';

const WEEKDAYS: readonly string[] = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const ORDINAL = /^(?:st|nd|rd|th)$/i;
/** Every month has so many days. */
const MAX_DAY = 28;

const BEGINS: Readonly<Record<CalendarUnit, string>> = {
  daily: 'the hour at which days begin, 12am to 11pm',
  weekly: `the day on which weeks begin (${WEEKDAYS.join(', ')})`,
  monthly: `the day on which months begin, 1st to ${MAX_DAY}th`,
};

/**
 * What stands between the parentheses of `.rollup(…)`:
 *
 *     rollup = step | method [ "," step ]
 *     step   = seconds | ( "daily" | "weekly" | "monthly" ) [ "," begin ] [ "," zone ]
 *
 * parse.test.ts and language.property.test.ts cover it.
 */
export function parseRollup(reader: TokenReader): Rollup {
  const first = reader.peek('expression');
  if (first.type === 'number') return { seconds: parseSeconds(reader) };
  const choices = [...ROLLUP_METHODS, ...CALENDAR_UNITS];
  const name = reader.expectChoice('a rollup method, a number of seconds or a calendar', choices);
  const unit = CALENDAR_UNITS.find((one) => one === name);
  if (unit !== undefined) return { calendar: parseCalendar(reader, unit) };
  const method = ROLLUP_METHODS.find((one) => one === name);
  if (!reader.takeSymbol('expression', ',')) return { method };
  if (reader.peek('expression').type === 'number') return { method, seconds: parseSeconds(reader) };
  const calendar = reader.expectChoice('a number of seconds or a calendar', CALENDAR_UNITS);
  return { method, calendar: parseCalendar(reader, calendar) };
}

/** What stands between the parentheses of the second rollup: a method, and a multiple of the first one's seconds. */
export function parseRollupAgain(reader: TokenReader, token: Token, first: Rollup | undefined): RollupAgain {
  const { method, seconds } = parseRollup(reader);
  if (first?.seconds === undefined) {
    throw reader.error(token, 'a second rollup', 'seconds in the first one, such as .rollup(sum, 60)');
  }
  const again = REFOLD_METHODS.find((one) => one === method);
  if (again === undefined || seconds === undefined || seconds % first.seconds !== 0) {
    const expected = `a method (${REFOLD_METHODS.join(', ')}), and a multiple of the ${first.seconds} s of the first rollup`;
    throw reader.error(token, 'a second rollup', expected);
  }
  return { method: again, seconds };
}

/** `seconds`, or the calendar as `parseRollup` reads it. */
export function printRollup({ method, seconds, calendar }: Rollup): string {
  return [method, seconds, ...(calendar === undefined ? [] : calendarParts(calendar))]
    .filter((part) => part !== undefined)
    .join(', ');
}

function calendarParts({ unit, begins, zone }: Calendar): string[] {
  const begin = begins === CALENDAR_BEGINS[unit] ? [] : [printBegin(unit, begins)];
  return [unit, ...begin, `'${zone}'`];
}

function printBegin(unit: CalendarUnit, begins: number): string {
  if (unit === 'weekly') return WEEKDAYS[begins];
  if (unit === 'daily') return `${begins % 12 === 0 ? 12 : begins % 12}${begins < 12 ? 'am' : 'pm'}`;
  const suffix = begins > 10 && begins < 20 ? 'th' : (['th', 'st', 'nd', 'rd'][begins % 10] ?? 'th');
  return `${begins}${suffix}`;
}

function parseSeconds(reader: TokenReader): number {
  return reader.expectInteger('seconds of the rollup', 1, reader.limits.rollupSeconds);
}

function parseCalendar(reader: TokenReader, unit: CalendarUnit): Calendar {
  let begins = CALENDAR_BEGINS[unit];
  let zone = 'UTC';
  if (!reader.takeSymbol('expression', ',')) return { unit, begins, zone };
  const found = takeBegin(reader, unit);
  if (found !== undefined) {
    begins = found;
    if (!reader.takeSymbol('expression', ',')) return { unit, begins, zone };
  }
  const expected = found === undefined ? `${BEGINS[unit]}, or ` : '';
  if (ZONE.type === 'text') zone = reader.expectText(`${expected}${ZONE.expected}`, ZONE.isValid);
  return { unit, begins, zone };
}

/** Where steps begin, in Datadog's words; undefined when the next tokens are something else. */
function takeBegin(reader: TokenReader, unit: CalendarUnit): number | undefined {
  const token = reader.peek('expression');
  if (unit === 'weekly') {
    const day = WEEKDAYS.indexOf(token.text.toLowerCase());
    if (day < 0) return undefined;
    reader.take(token);
    return day;
  }
  if (token.type !== 'number') return undefined;
  reader.take(token);
  const suffix = reader.peek('expression');
  const count = Number(token.text);
  const begins = unit === 'daily' ? hourOf(count, suffix.text.toLowerCase()) : dayOf(count, suffix.text);
  if (suffix.type !== 'name' || begins === undefined) throw reader.unexpected(token, BEGINS[unit]);
  reader.take(suffix);
  return begins;
}

function hourOf(hour: number, half: string): number | undefined {
  if (!Number.isInteger(hour) || hour < 1 || hour > 12 || (half !== 'am' && half !== 'pm')) return undefined;
  return (hour % 12) + (half === 'pm' ? 12 : 0);
}

function dayOf(day: number, suffix: string): number | undefined {
  return Number.isInteger(day) && day >= 1 && day <= MAX_DAY && ORDINAL.test(suffix) ? day : undefined;
}
