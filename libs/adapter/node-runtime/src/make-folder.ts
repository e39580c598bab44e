import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf } from './disk-error.ts';

/**
 * Creates a folder and its missing parents, and makes their entries durable. Each level is created by itself, because
 * Node's recursive mkdir never ends where mkdir(2) fails with ENOENT in a folder that exists, such as in /proc.
 *
 * Errors: those of the system, as Node throws them; ENOTDIR when a part of the path is a file, and EROFS when its file
 * system accepts no folders. `prepare-data-folder.test.ts` and the suite of all disks cover it.
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  for (let at = path; !(await isFolder(at)); at = dirname(at)) missing.push(at);
  for (const folder of missing.reverse()) {
    const parent = dirname(folder);
    try {
      await mkdir(folder);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' && (await isFolder(parent))) {
        throw systemError('EROFS', `the file system of ${parent} accepts no folders`);
      }
      // EEXIST: another caller created the folder in between, and may not have synced it yet.
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    await syncFolder(parent);
  }
}

/** Makes the entries of a folder durable: the sync of a file does not (fsync(2)). */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Returns false for a path that does not exist. Throws ENOTDIR for a file. */
async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    // ENOTDIR: a parent is a file, which the next step up finds.
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
  throw systemError('ENOTDIR', `${path} is a file`);
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
