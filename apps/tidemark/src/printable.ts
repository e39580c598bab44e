import type { Gap } from '@tidemark/contract';
import { DAY_MS } from '@tidemark/model';

const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;
const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Escapes control characters in received text, so that it can't move the cursor or recolor a terminal. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (char) => SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Writes to stdout, with a line end if there is none. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Writes to stderr, with a line end if there is none. */
export function printError(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Formats an age or a time span for people: `2.1 s`, `3.0 min`. */
export function duration(ms: number): string {
  const size = Math.abs(ms);
  if (size < 1000) return `${Math.round(ms)} ms`;
  if (size < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  if (size < 7_200_000) return `${(ms / 60_000).toFixed(1)} min`;
  if (size < 172_800_000) return `${(ms / 3_600_000).toFixed(1)} h`;
  return `${(ms / DAY_MS).toFixed(1)} d`;
}

/** Formats a time (ms since the epoch) as ISO 8601 in UTC. */
export function time(ms: number): string {
  return new Date(ms).toISOString();
}

/** Formats a number for charts and tables: integers as they are, others with six significant digits. */
export function shortNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

/** Formats a gap: records that are missing from an answer. */
export function gapText({ topic, partition, offset, reason, records }: Gap): string {
  const many = records > 1 ? ` (${records} records)` : '';
  return `gap: ${topic}/${partition} at offset ${offset}${many}: ${printable(reason)}`;
}
