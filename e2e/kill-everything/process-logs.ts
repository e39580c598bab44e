import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const FATAL_LEVEL = 60;
const SHOWN = 3;

/** What processes called fatal, or wrote that is no event at all, such as the stack of an exception that nobody caught. */
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
  if (!line.startsWith('{')) return /^\S*(Error|Violation)\b.*:|Uncaught|Unhandled/i.test(line);
  try {
    const event = JSON.parse(line) as { level?: number | string };
    return event.level === FATAL_LEVEL || event.level === 'fatal';
  } catch {
    return true;
  }
}
