import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A process by its number and its start. The system reuses numbers; `start` differs between two processes of one
 * number.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
}

/**
 * The process that has number `pid` now, or undefined when there is none. On Linux `start` is the id of the boot and
 * the start tick (proc(5), `stat` field 22); elsewhere it is the start time that `ps` prints.
 */
export async function processIdentity(pid: number): Promise<ProcessIdentity | undefined> {
  const start = process.platform === 'linux' ? await linuxStart(pid) : await psStart(pid);
  return start === undefined ? undefined : { pid, start };
}

async function linuxStart(pid: number): Promise<string | undefined> {
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field is the command in parentheses, and may contain spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTick] = [fields[0], fields[19]];
  // A zombie has already closed its files: only its number is left.
  return state === 'Z' || state === 'X' ? undefined : `${boot}/${startTick}`;
}

async function psStart(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await run('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], { env: { LC_ALL: 'C', TZ: 'UTC' } });
    return stdout.trim() === '' ? undefined : stdout.trim();
  } catch {
    return undefined;
  }
}
