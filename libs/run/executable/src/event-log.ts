import { printableLines } from '@tidemark/model/safe-text';
import pino from 'pino';

/** The log of the process: lines on stderr with time, level, message and details. */
export type EventLog = pino.Logger;

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };
const OWN_FIELDS: ReadonlySet<string> = new Set(['level', 'time', 'msg']);

export function openEventLog(level: string, write: (line: string) => void = writeToStderr): EventLog {
  return pino({ level, base: undefined }, { write: (line) => write(readable(line)) });
}

function writeToStderr(line: string): void {
  process.stderr.write(line);
}

/** Formats a record of pino as a readable line. */
function readable(line: string): string {
  const record: Record<string, unknown> = JSON.parse(line);
  const time = new Date(Number(record.time)).toISOString().slice(11, 23);
  const details = Object.entries(record)
    .filter(([key]) => !OWN_FIELDS.has(key))
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? quoted(value) : JSON.stringify(value)}`);
  return printableLines(
    `${time} ${LEVELS[Number(record.level)] ?? record.level} ${record.msg ?? ''}${details.join('')}\n`,
  );
}

/** Quotes text that has spaces, or characters that could imitate another line. */
function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : JSON.stringify(text);
}
