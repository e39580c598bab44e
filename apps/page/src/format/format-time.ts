import { formatDuration } from '@tidemark/doctor';

export { formatDuration };

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function two(value: number): string {
  return value.toString().padStart(2, '0');
}

/** Formats `12:34:56` in the reader's time zone, with 24 hours in every locale. */
export function formatClock(timeMs: number): string {
  const date = new Date(timeMs);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Formats `14 Mar 12:34:56`, without the day when it is the day of `nowMs`. */
export function formatMoment(timeMs: number, nowMs: number): string {
  const date = new Date(timeMs);
  const isToday = date.toDateString() === new Date(nowMs).toDateString();
  const clock = formatClock(timeMs);
  return isToday ? clock : `${date.getDate()} ${MONTHS[date.getMonth()]} ${clock}`;
}

/** Formats a label of a time axis, as precise as the distance between two labels needs. Times in seconds. */
export function formatAxisTime(timeS: number, distanceS: number): string {
  const date = new Date(timeS * SECOND_MS);
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (isMidnight || distanceS >= DAY_MS / SECOND_MS) return `${date.getDate()} ${MONTHS[date.getMonth()]}`;
  const clock = formatClock(timeS * SECOND_MS);
  return distanceS < 60 ? clock : clock.slice(0, 5);
}

/** Formats `complete through 12:34:56 (2.1 s ago)`, or `completeness unknown`. */
export function completeThroughLabel(completeThroughMs: number | undefined, nowMs: number): string {
  if (completeThroughMs === undefined) return 'completeness unknown';
  return `complete through ${formatMoment(completeThroughMs, nowMs)} (${formatDuration(nowMs - completeThroughMs)} ago)`;
}
