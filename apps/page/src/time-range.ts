/** A range that follows the clock, or a fixed range. */
export type TimeRange =
  | { readonly type: 'last'; readonly seconds: number }
  | { readonly type: 'between'; readonly fromMs: number; readonly toMs: number };

export interface RangePreset {
  readonly name: string;
  readonly seconds: number;
}

export const RANGE_PRESETS: readonly RangePreset[] = [
  { name: '5m', seconds: 300 },
  { name: '15m', seconds: 900 },
  { name: '1h', seconds: 3_600 },
  { name: '4h', seconds: 14_400 },
  { name: '1d', seconds: 86_400 },
  { name: '7d', seconds: 604_800 },
  { name: '30d', seconds: 2_592_000 },
];

/** Min length of a custom or zoomed range, ms: a shorter graph would have too few steps. */
export const MIN_RANGE_MS = 5_000;
const MAX_RANGE_SECONDS = 366 * 86_400;

export interface Bounds {
  readonly fromMs: number;
  readonly toMs: number;
}

export function boundsOf(range: TimeRange, nowMs: number): Bounds {
  if (range.type === 'between') return range;
  return { fromMs: nowMs - range.seconds * 1_000, toMs: nowMs };
}

/** Prints `15m`, or `1741000000000-1741000900000`. */
export function printRange(range: TimeRange): string {
  if (range.type === 'between') return `${Math.round(range.fromMs)}-${Math.round(range.toMs)}`;
  return RANGE_PRESETS.find(({ seconds }) => seconds === range.seconds)?.name ?? `${range.seconds}s`;
}

/** Parses the text of `printRange`; undefined for any other text. */
export function parseRange(text: string): TimeRange | undefined {
  const preset = RANGE_PRESETS.find(({ name }) => name === text);
  if (preset !== undefined) return { type: 'last', seconds: preset.seconds };
  const seconds = Number(/^(\d{1,9})s$/.exec(text)?.[1]);
  if (seconds >= 1 && seconds <= MAX_RANGE_SECONDS) return { type: 'last', seconds };
  const between = /^(\d{1,15})-(\d{1,15})$/.exec(text);
  if (between === null) return undefined;
  return betweenRange(Number(between[1]), Number(between[2]));
}

/** Makes a fixed range; undefined when it is reversed, shorter than `MIN_RANGE_MS`, or too long. */
export function betweenRange(fromMs: number, toMs: number): TimeRange | undefined {
  const lengthMs = toMs - fromMs;
  if (!(lengthMs >= MIN_RANGE_MS && lengthMs <= MAX_RANGE_SECONDS * 1_000)) return undefined;
  return { type: 'between', fromMs, toMs };
}

/** Returns the polling interval, ms: each second for short ranges, less often when a second moves no pixel. */
export function refreshMs(range: TimeRange): number | undefined {
  if (range.type === 'between') return undefined;
  return Math.min(10_000, Math.max(1_000, Math.ceil(range.seconds / 3_600) * 1_000));
}
