import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const SHOWN = 3;
/** Lines of the event log begin with the time and the level. */
const EVENT = /^\d\d:\d\d:\d\d\.\d{3} (\w+) /;
const STRAY = /^\S*(Error|Violation)\b.*:|^Node\.js v|Uncaught|Unhandled|^#? ?Fatal|^\w+: .*(can't|can not)/i;

/** Finds fatal events of processes, and output other than events, such as the stack of an uncaught exception. */
export async function fatalLines(folder: string): Promise<string[]> {
  const problems: string[] = [];
  for (const name of (await readdir(folder)).filter((file) => file.endsWith('.log'))) {
    const lines = (await readFile(join(folder, name), 'utf8')).split('\n');
    const bad = lines.filter((line) => isFatal(line));
    for (const line of bad.slice(0, SHOWN)) problems.push(`${name} says: ${line.slice(0, 400)}`);
    if (bad.length > SHOWN) problems.push(`${name} says ${bad.length} such lines`);
  }
  return problems;
}

function isFatal(line: string): boolean {
  const level = EVENT.exec(line)?.[1];
  return level === undefined ? STRAY.test(line) : level === 'fatal';
}
