/** The methods, modes and calendars that queries name, and the checks of them, without the folds: for browsers. */
export type { Calendar, CalendarUnit } from './calendar-steps.ts';
export { CALENDAR_BEGINS, CALENDAR_UNITS } from './calendar-steps.ts';
export { DEFAULT_FILL_LIMIT_SECONDS, FILL_MODES } from './fill.ts';
export { MOVING_METHODS, REFOLD_METHODS, REGROUP_METHODS } from './method-names.ts';
export { RANK_METHODS, RANK_ORDERS } from './rank.ts';
export { calendarShiftOf } from './time-shift.ts';
export { ZoneClock } from './zone-clock.ts';
