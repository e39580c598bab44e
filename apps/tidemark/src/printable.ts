import type { Gap } from '@tidemark/contract';
import { gapWords } from '@tidemark/doctor';
import { DAY_MS } from '@tidemark/model';
import { printable, printableLines } from '@tidemark/model/safe-text';

/** Writes to stdout, with a line end if there is none. Of the text only line feeds control the terminal. */
export function print(text: string): void {
  process.stdout.write(lines(printableLines(text)));
}

/** As `print`, for a text whose received parts are printable already, and which has colors. */
export function printColored(text: string): void {
  process.stdout.write(lines(text));
}

/** As `print`, to stderr. */
export function printError(text: string): void {
  process.stderr.write(lines(printableLines(text)));
}

function lines(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
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
export function gapText(gap: Gap): string {
  return `${gap.topic}/${gap.partition} has ${gapWords(gap)}: ${printable(gap.reason)}`;
}
