import type { Gap } from '@tidemark/contract';
import { DAY_MS } from '@tidemark/model';

/** Names come from anybody: without control characters they can't move the cursor or recolor a terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '�');
}

export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

export function printError(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** An age or a distance in time, for people. */
export function duration(ms: number): string {
  const size = Math.abs(ms);
  if (size < 1000) return `${Math.round(ms)} ms`;
  if (size < 120_000) return `${(ms / 1000).toFixed(1)} s`;
  if (size < 7_200_000) return `${(ms / 60_000).toFixed(1)} min`;
  if (size < 172_800_000) return `${(ms / 3_600_000).toFixed(1)} h`;
  return `${(ms / DAY_MS).toFixed(1)} d`;
}

export function time(ms: number): string {
  return new Date(ms).toISOString();
}

/** Six digits are more than a chart or a table shows the use of. */
export function shortNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

/** What is said beside an answer of a record that it misses. */
export function gapText({ topic, partition, offset, reason }: Gap): string {
  return `gap: ${topic}/${partition} at offset ${offset}: ${printable(reason)}`;
}
