import { resolve } from 'node:path';
import { messageOf, systemCode, TidemarkError } from '@tidemark/ports';

/** The reasons why a file cannot be read, by the system's name of the error. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is a file',
};

/**
 * Reads a file of settings for `parseSettings`. Error: `not_found`, with the reason when the file exists and cannot be
 * read.
 */
export async function readSettingsFile(
  name: string,
  readText: (file: string) => Promise<string>,
): Promise<{ readonly name: string; readonly text: string }> {
  try {
    return { name, text: await readText(name) };
  } catch (error) {
    const path = resolve(name);
    const errno = systemCode(error) ?? '';
    if (errno === 'ENOENT') throw new TidemarkError('not_found', `the settings file ${path} does not exist`);
    const reason = REASONS[errno] ?? messageOf(error);
    throw new TidemarkError('not_found', `cannot read the settings file ${path}: ${reason}`);
  }
}
