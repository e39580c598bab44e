import { readFile } from 'node:fs/promises';

/**
 * How many files, sockets and pipes this process may have open at once; undefined where that is not limited, or not known:
 * only Linux says it in a file. Node raises its soft limit to the hard one at its start.
 */
export async function openFilesLimit(limitsFile = '/proc/self/limits'): Promise<number | undefined> {
  const limits = await readFile(limitsFile, 'utf8').catch(() => '');
  const soft = /^Max open files +(\d+) /m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
