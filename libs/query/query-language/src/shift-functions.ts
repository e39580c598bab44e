import type { FunctionArgument, Shift } from '@tidemark/fold';
import { calendarShiftOf, ZoneClock } from '@tidemark/fold/words';
import { assert, isTidemarkError } from '@tidemark/ports';
import type { Parameter } from './parameter.ts';

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * HOUR_SECONDS;
/** The longest time that `timeshift` may go, either way. */
const MAX_SHIFT_SECONDS = 5 * 366 * DAY_SECONDS;

/** Functions of a fixed shift, s; a month is four weeks, as Datadog has it. */
const FIXED_SHIFTS = {
  hour_before: -HOUR_SECONDS,
  day_before: -DAY_SECONDS,
  week_before: -7 * DAY_SECONDS,
  month_before: -28 * DAY_SECONDS,
} as const;

type FixedShiftName = keyof typeof FIXED_SHIFTS;
export type ShiftFunctionName = FixedShiftName | 'timeshift' | 'calendar_shift';

/** A time zone that the runtime knows. */
export const ZONE: Parameter = {
  name: 'time zone',
  type: 'text',
  expected: "a time zone such as 'UTC' or 'Europe/Paris'",
  isValid: isZone,
  default: 'UTC',
};

export const SHIFT_FUNCTIONS: Readonly<Record<ShiftFunctionName, readonly Parameter[]>> = {
  hour_before: [],
  day_before: [],
  week_before: [],
  month_before: [],
  timeshift: [{ name: 'seconds (below 0: earlier)', type: 'integer', min: -MAX_SHIFT_SECONDS, max: MAX_SHIFT_SECONDS }],
  calendar_shift: [
    {
      name: 'shift',
      type: 'text',
      expected: "a shift such as '-1d', '-2w' or '-1mo'",
      isValid: (text) => calendarShiftOf(text, 'UTC') !== undefined,
    },
    ZONE,
  ],
};

/** Where a function reads what its operand shows; undefined of functions that don't shift. testdata/shifts.test.txt covers it. */
export function shiftOf(name: string, args: readonly FunctionArgument[]): Shift | undefined {
  if (isFixedShift(name)) return { type: 'seconds', seconds: FIXED_SHIFTS[name] };
  if (name === 'timeshift') return { type: 'seconds', seconds: Number(args[0]) };
  if (name !== 'calendar_shift') return undefined;
  const shift = calendarShiftOf(String(args[0]), String(args[1]));
  assert(shift !== undefined, 'the parser has checked the shift');
  return shift;
}

function isFixedShift(name: string): name is FixedShiftName {
  return Object.hasOwn(FIXED_SHIFTS, name);
}

function isZone(text: string): boolean {
  try {
    new ZoneClock(text);
    return true;
  } catch (error) {
    if (isTidemarkError(error, 'invalid_argument')) return false;
    throw error;
  }
}
