import { RESTORING_MARK } from '@tidemark/node-runtime';
import { type Disk, TidemarkError, writeSmallFile } from '@tidemark/ports';

const LOCK = `${RESTORING_MARK}.lock`;
const TEXT = 'A restore into this folder has not ended. Run it again, or remove the whole folder.\n';
/** What a restore makes. */
export const MADE: readonly string[] = ['log', 'points', 'tags'];
/** Left by file systems in volumes. */
const IGNORED = 'lost+found';
const NAMED = 3;

/**
 * Runs a task that fills a data folder. It must be empty, except for what an interrupted restore has left, which is removed, and for
 * `kept`. While the task has not ended, and after it has failed, no platform starts in the folder. Errors: `failed_precondition` for
 * another folder, or while another process restores into it; those of the disk and the task.
 */
export async function withClaimedFolder<T>(
  disk: Disk,
  folder: string,
  kept: readonly string[],
  task: () => Promise<T>,
): Promise<T> {
  // A folder of something else stays as it is.
  const isMarked = (await disk.list('')).includes(RESTORING_MARK);
  if (!isMarked) await checkEmpty(disk, folder, kept);
  const lock = await disk.lock(LOCK);
  try {
    if ((await disk.list('')).includes(RESTORING_MARK)) await removeMade(disk);
    await checkEmpty(disk, folder, kept);
    await writeSmallFile(disk, RESTORING_MARK, Buffer.from(TEXT));
    const result = await task();
    await disk.remove(RESTORING_MARK);
    return result;
  } finally {
    await lock.release();
  }
}

/** Removes what an interrupted restore has made; a folder of it may be a volume of its own. */
async function removeMade(disk: Disk): Promise<void> {
  for (const made of MADE) {
    for (const name of await contentOf(disk, made)) await disk.remove(`${made}/${name}`);
  }
}

async function checkEmpty(disk: Disk, folder: string, kept: readonly string[]): Promise<void> {
  const found: string[] = [];
  for (const name of await contentOf(disk, '')) {
    if (kept.includes(name) || name.startsWith(RESTORING_MARK)) continue;
    if (!MADE.includes(name) || (await contentOf(disk, name)).length > 0) found.push(name);
  }
  if (found.length === 0) return;
  const more = found.length > NAMED ? ` and ${found.length - NAMED} more` : '';
  const text = `${folder} is not empty: it has ${found.slice(0, NAMED).join(', ')}${more}`;
  throw new TidemarkError('failed_precondition', `${text}; restore into an empty folder, or move these away`, {
    path: folder,
  });
}

async function contentOf(disk: Disk, folder: string): Promise<string[]> {
  return (await disk.list(folder)).filter((name) => name !== IGNORED);
}
