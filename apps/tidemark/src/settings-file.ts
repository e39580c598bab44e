import { readFile } from 'node:fs/promises';
import { TidemarkError } from '@tidemark/ports';
import { parseSettings, type Settings } from '@tidemark/settings';

/** The settings of a file alone. Errors: `not_found`, `invalid_argument`. */
export async function readSettingsFile(file: string): Promise<Settings> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new TidemarkError('not_found', `can't read the settings file ${file}: ${String(error)}`);
  });
  return parseSettings({ flags: {}, environment: {}, file: { name: file, text } });
}
