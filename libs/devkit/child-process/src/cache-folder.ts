import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Returns the folder of programs that are downloaded for development: `TIDEMARK_CACHE`, or `tidemark` in the user's
 * cache folder. It is outside of the project, so that all clones share the programs.
 */
export function cacheFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const { TIDEMARK_CACHE: own, XDG_CACHE_HOME: cache } = environment;
  return own || join(cache || join(homedir(), '.cache'), 'tidemark');
}
