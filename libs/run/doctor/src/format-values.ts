import { NAMED } from './thresholds.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const UNITS: readonly string[] = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Formats a duration: `2.1 s`, `48 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, durationMs);
  if (ms < 10 * SECOND_MS - 50) return `${(ms / SECOND_MS).toFixed(1)} s`;
  if (ms < MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < HOUR_MS) return pair(ms, MINUTE_MS, 'min', SECOND_MS, 's');
  if (ms < DAY_MS) return pair(ms, HOUR_MS, 'h', MINUTE_MS, 'min');
  return pair(ms, DAY_MS, 'd', HOUR_MS, 'h');
}

function pair(ms: number, bigMs: number, bigName: string, smallMs: number, smallName: string): string {
  const small = Math.floor((ms % bigMs) / smallMs);
  const big = `${Math.floor(ms / bigMs)} ${bigName}`;
  return small === 0 ? big : `${big} ${small} ${smallName}`;
}

/** Formats a whole number with separators of thousands: `1,234,567`. */
export function formatCount(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** `1 record`, `2 records`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? `1 ${one}` : `${formatCount(count)} ${many}`;
}

/** `1.2 GiB`. */
export function formatBytes(bytes: number): string {
  let rank = 0;
  let scaled = bytes;
  while (scaled >= 1024 && rank < UNITS.length - 1) {
    scaled /= 1024;
    rank++;
  }
  return `${rank === 0 || scaled >= 100 ? Math.floor(scaled) : scaled.toFixed(1)} ${UNITS[rank]}`;
}

/** `points/0, points/1 and 6 more`: the first names, and the number of the others. */
export function listed(names: readonly string[]): string {
  if (names.length <= NAMED) return names.join(', ');
  return `${names.slice(0, NAMED - 1).join(', ')} and ${names.length - NAMED + 1} more`;
}

/** Hex digits of an id that are enough to find it again. */
const SHORT_ID = 4;

export function shortId(id: string): string {
  return id.slice(0, SHORT_ID) || '?';
}
