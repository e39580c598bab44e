import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type DiskLock, TidemarkError } from '@tidemark/ports';
import { diskError, errnoOf } from './disk-error.ts';
import { type KernelLock, lockByKernel } from './kernel-lock.ts';
import { makeFolder } from './make-folder.ts';
import { assertInPlace, placeOf } from './place.ts';
import { type ProcessIdentity, processIdentity } from './process-identity.ts';

/** A lock on a folder. */
export interface FolderLock extends DiskLock {
  /** Throws `unavailable` when the folder was moved, deleted or replaced: then nothing may be created in it. */
  assertInPlace(): Promise<void>;
}

const RELEASED = 'released\n';

/**
 * Locks `file` for this process. A lock is a sequence of generations `file.1`, `file.2`, …: the newest one is in force,
 * and names its owner. A generation is created whole and once (link(2) of a finished file), and is never recreated while
 * a newer one exists; so of several processes that find a dead owner one wins. An owner that was killed is detected by its
 * start time in addition to its number. An owner in another container looks dead, so its lock by the kernel on `file.held`
 * counts as well. A process that is refused has changed nothing in the folder.
 *
 * Errors: `failed_precondition`, with folder and process, when another process holds it.
 */
export async function lockFolder(file: string): Promise<FolderLock> {
  const folder = dirname(file);
  const self = await processIdentity(process.pid);
  if (self === undefined)
    throw new TidemarkError('unavailable', `cannot lock ${folder}: the start time of this process is not known`);
  await makeFolder(folder).catch((error) => {
    throw diskError(error, 'make', folder);
  });

  const newest = await newestGeneration(file);
  if (newest > 0) await refuseWhenHeld(folder, `${file}.${newest}`);
  const kernelLock = lockByKernel(`${file}.held`);
  if (kernelLock === 'held') throw held(folder, 'another process, which may be in another container');
  try {
    return await claim(file, newest + 1, self, kernelLock);
  } catch (error) {
    kernelLock?.release();
    throw error;
  }
}

/**
 * Throws as `lockFolder` does when a process of this machine holds `file`, and changes nothing. Its folder need not exist.
 */
export async function refuseLockedFolder(file: string): Promise<void> {
  const newest = await newestGeneration(file).catch(() => 0);
  if (newest > 0) await refuseWhenHeld(dirname(file), `${file}.${newest}`);
}

/** Makes a generation of the lock that names this process. */
async function claim(
  file: string,
  generation: number,
  self: ProcessIdentity,
  kernelLock: KernelLock | undefined,
): Promise<FolderLock> {
  const folder = dirname(file);
  const mine = `${file}.${generation}`;
  await placeWhole(mine, `${JSON.stringify(self)}\n`, (draft) => link(draft, mine), folder);

  // A slower process may have linked a generation after a newer one had replaced it.
  const present = await generations(file);
  if (Math.max(...present) > generation) {
    await rm(mine, { force: true });
    throw held(folder, 'another process');
  }
  for (const older of present) if (older < generation) await rm(`${file}.${older}`, { force: true });

  let released = false;
  const place = await placeOf(mine);
  const check = async (): Promise<void> => {
    if (place !== undefined) await assertInPlace(mine, place);
  };
  return {
    async assertInPlace() {
      if (!released) await check();
    },
    async release() {
      if (released) return;
      released = true;
      try {
        await check();
      } catch {
        // What has the name of the folder now belongs to others.
        kernelLock?.release();
        return;
      }
      // Kept and marked instead of removed: numbers must not restart while a slow process remembers an old one.
      await placeWhole(mine, RELEASED, (draft) => rename(draft, mine), folder).finally(() => kernelLock?.release());
    },
  };
}

async function newestGeneration(file: string): Promise<number> {
  return Math.max(0, ...(await generations(file)));
}

async function generations(file: string): Promise<number[]> {
  const prefix = `${basename(file)}.`;
  const names = await readdir(dirname(file));
  return names
    .filter((name) => name.startsWith(prefix) && /^[1-9][0-9]*$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)));
}

async function refuseWhenHeld(folder: string, newest: string): Promise<void> {
  let text: string;
  try {
    text = await readFile(newest, 'utf8');
  } catch (error) {
    // Removed between listing and reading: a newer owner cleaned up.
    if (errnoOf(error) === 'ENOENT') throw held(folder, 'another process');
    throw diskError(error, 'read', newest);
  }
  const owner = parseOwner(text);
  if (owner === undefined) return;
  const alive = await processIdentity(owner.pid);
  if (alive?.start === owner.start) throw held(folder, `process ${owner.pid}`, owner.pid);
}

function parseOwner(text: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || !('start' in value)) return undefined;
    return typeof value.pid === 'number' && typeof value.start === 'string'
      ? { pid: value.pid, start: value.start }
      : undefined;
  } catch {
    return undefined;
  }
}

async function placeWhole(
  target: string,
  text: string,
  place: (draft: string) => Promise<void>,
  folder: string,
): Promise<void> {
  const draft = join(folder, `.${basename(target)}-${process.pid}-${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(draft, text, { flag: 'wx', flush: true });
    await place(draft);
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw held(folder, 'another process');
    throw diskError(error, 'lock', folder);
  } finally {
    await rm(draft, { force: true });
  }
}

function held(folder: string, owner: string, pid = 0): TidemarkError {
  return new TidemarkError('failed_precondition', `the folder ${folder} is in use by ${owner}`, { folder, pid });
}
