import pino from 'pino';

/** What the process has to say, in short lines on stderr: time, level, message, details. */
export type EventLog = pino.Logger;

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };
const OWN_FIELDS: ReadonlySet<string> = new Set(['level', 'time', 'msg']);

export function openEventLog(level: string, write: (line: string) => void = writeToStderr): EventLog {
  return pino({ level, base: undefined }, { write: (line) => write(readable(line)) });
}

function writeToStderr(line: string): void {
  process.stderr.write(line);
}

/** A record of pino's as a line for people. */
function readable(line: string): string {
  const record: Record<string, unknown> = JSON.parse(line);
  const time = new Date(Number(record.time)).toISOString().slice(11, 23);
  const details = Object.entries(record)
    .filter(([key]) => !OWN_FIELDS.has(key))
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? quoted(value) : JSON.stringify(value)}`);
  return `${time} ${LEVELS[Number(record.level)] ?? record.level} ${record.msg ?? ''}${details.join('')}\n`;
}

/** In quotes where it has spaces or anything that could be taken for another line. */
function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : JSON.stringify(text);
}
