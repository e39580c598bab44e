import { access, constants } from 'node:fs/promises';
import { messageOf, TidemarkError } from '@tidemark/ports';
import { diskError, errnoOf } from './disk-error.ts';
import { makeFolder } from './make-folder.ts';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'its name is too long',
};

/**
 * Creates the data folder if it does not exist, and checks that it can be written. Error: that of the file system, with
 * the setting to change.
 */
export async function prepareDataFolder(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
  } catch (error) {
    const errno = errnoOf(error);
    const { code } = diskError(error, 'create', folder);
    const detail = { path: folder, errno, setting: 'data.folder' };
    throw new TidemarkError(code, `cannot use ${folder} as the data folder: ${reasonOf(error, folder)}`, detail, {
      cause: error,
    });
  }
}

function reasonOf(error: unknown, folder: string): string {
  const errno = errnoOf(error);
  const own = messageOf(error).replace(/^E[A-Z]+: /, '');
  if (errno === 'ENOTDIR') return own === `${folder} is a file` ? 'it is a file' : own;
  if (errno === 'EROFS') return own.endsWith('accepts no folders') ? own : 'the file system is read-only';
  return REASONS[errno] ?? own;
}
