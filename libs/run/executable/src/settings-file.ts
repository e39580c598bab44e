import { TidemarkError } from '@tidemark/ports';

/** Reads a file of settings for `parseSettings`. Errors: `not_found`. */
export async function readSettingsFile(
  name: string,
  readText: (file: string) => Promise<string>,
): Promise<{ readonly name: string; readonly text: string }> {
  try {
    return { name, text: await readText(name) };
  } catch (error) {
    throw new TidemarkError('not_found', `can't read the settings file ${name}: ${String(error)}`);
  }
}
