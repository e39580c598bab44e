import { DAY_MS } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { time } from './printable.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: DAY_MS,
  w: 7 * DAY_MS,
};

/**
 * Parses `now`, `-15m`, seconds or ms since the epoch, or ISO 8601, to ms since the epoch. Error: `invalid_argument`.
 */
export function parseTime(text: string, nowMs: number): number {
  if (text === 'now') return nowMs;
  const relative = /^-(\d+(?:\.\d+)?)([smhdw])$/.exec(text);
  if (relative !== null) return Math.floor(nowMs - Number(relative[1]) * UNIT_MS[relative[2]]);
  if (/^\d{1,11}(\.\d+)?$/.test(text)) return Math.floor(Number(text) * 1000);
  if (/^\d{12,15}$/.test(text)) return Number(text);
  const parsed = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(parsed)) return parsed;
  throw new TidemarkError(
    'invalid_argument',
    `${text} is not a time; give now, -15m (s, m, h, d, w), seconds since 1970, or 2026-01-31T12:00:00Z`,
  );
}

/** Parses a length of time, as seconds or with a unit (500ms, 15s, 5m), to whole ms; undefined for another text. */
export function parseDuration(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d+)?)(ms|[smhdw])?$/.exec(text);
  if (parts === null) return undefined;
  const [, count, unit = 's'] = parts;
  return Math.round(Number(count) * (unit === 'ms' ? 1 : UNIT_MS[unit]));
}

/** Parses the options `--from` and `--to`. Error: `invalid_argument` when the range does not end after it begins. */
export function parseRange(from: string, to: string, nowMs: number): { fromMs: number; toMs: number } {
  const [fromMs, toMs] = [parseTime(from, nowMs), parseTime(to, nowMs)];
  if (toMs > fromMs) return { fromMs, toMs };
  const order = toMs < fromMs ? 'is before' : 'is equal to';
  throw new TidemarkError(
    'invalid_argument',
    `--to (${time(toMs)}) ${order} --from (${time(fromMs)}); give a --to that is later`,
  );
}
