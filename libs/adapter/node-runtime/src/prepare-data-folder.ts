import { existsSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { TIDEMARK_COMMAND } from '@tidemark/model/tidemark-command';
import { messageOf, TidemarkError } from '@tidemark/ports';
import { diskError, errnoOf } from './disk-error.ts';
import { makeFolder } from './make-folder.ts';

/** A file in a data folder that a restore has not filled yet. */
export const RESTORING_MARK = 'RESTORING';

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOSPC: 'the disk is full',
  ENAMETOOLONG: 'its name is too long',
};

/**
 * Creates the data folder if it does not exist, and checks that it can be written. Errors: those of the file system, with
 * the setting to change; `failed_precondition` where a restore has not ended.
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
  refuseUnfinishedRestore(folder);
}

/** Throws `failed_precondition` for a data folder that a restore has not filled yet. */
export function refuseUnfinishedRestore(folder: string): void {
  if (!existsSync(join(folder, RESTORING_MARK))) return;
  const message = `${folder} is not whole: a restore into it has not ended. Run \`${TIDEMARK_COMMAND} snapshot restore\` again`;
  throw new TidemarkError('failed_precondition', message, { path: folder, setting: 'data.folder' });
}

function reasonOf(error: unknown, folder: string): string {
  const errno = errnoOf(error);
  const own = messageOf(error).replace(/^E[A-Z]+: /, '');
  if (errno === 'ENOTDIR') return own === `${folder} is a file` ? 'it is a file' : own;
  if (errno === 'EROFS') return own.endsWith('accepts no folders') ? own : 'the file system is read-only';
  return REASONS[errno] ?? own;
}
