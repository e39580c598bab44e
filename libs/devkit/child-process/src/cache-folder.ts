import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Returns where programs that are fetched for development are kept, outside of the project, so that another clone need
 * not fetch them: `TIDEMARK_CACHE`, or `tidemark` in the user's cache folder.
 */
export function cacheFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const { TIDEMARK_CACHE: own, XDG_CACHE_HOME: cache } = environment;
  return own || join(cache || join(homedir(), '.cache'), 'tidemark');
}
