import { type Disk, type DiskFile, isTidemarkError, TidemarkError } from '@tidemark/ports';
import { readAt } from './file-window.ts';
import { FORMAT_VERSION, newerFormat } from './segment-format.ts';

const FORMAT_FILE = 'FORMAT';
const FORMAT_LIMIT_BYTES = 64;

/**
 * Checks the folder's format, and names it in a new folder. `failed_precondition` for a newer one, `data_loss` when
 * the file says nothing.
 */
export async function claimFormat(disk: Disk): Promise<void> {
  const version = await readFormat(disk);
  if (version === undefined) await writeFormat(disk);
  else if (version > FORMAT_VERSION) throw newerFormat('the data folder', version);
}

async function readFormat(disk: Disk): Promise<number | undefined> {
  let file: DiskFile;
  try {
    file = await disk.open(FORMAT_FILE);
  } catch (error) {
    if (isTidemarkError(error, 'not_found')) return undefined;
    throw error;
  }
  try {
    const text = (await readAt(file, 0, FORMAT_LIMIT_BYTES)).toString('latin1');
    const match = /^tidemark-log ([1-9][0-9]{0,8})\n$/.exec(text);
    if (match === null)
      throw new TidemarkError('data_loss', `${FORMAT_FILE} names no log format`, { file: FORMAT_FILE });
    return Number(match[1]);
  } finally {
    await file.close();
  }
}

async function writeFormat(disk: Disk): Promise<void> {
  const draft = `${FORMAT_FILE}.draft`;
  const file = await disk.open(draft, { create: true });
  try {
    await file.truncate(0);
    await file.write(Buffer.from(`tidemark-log ${FORMAT_VERSION}\n`), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(draft, FORMAT_FILE);
}
