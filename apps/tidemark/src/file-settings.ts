import { readFile } from 'node:fs/promises';
import { readSettingsFile } from '@tidemark/executable';
import { parseSettings, type Settings } from '@tidemark/settings';

/** Reads settings from a file alone, without flags and environment. Errors: `not_found`, `invalid_argument`. */
export async function settingsOfFile(name: string): Promise<Settings> {
  const file = await readSettingsFile(name, (path) => readFile(path, 'utf8'));
  return parseSettings({ flags: {}, environment: {}, file });
}
