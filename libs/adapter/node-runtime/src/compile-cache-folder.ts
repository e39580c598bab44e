import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

/** Folder of the compile cache of this process, for its threads, which don't inherit it; undefined without one. */
export function compileCacheFolder(): string | undefined {
  const cache = getCompileCacheDir();
  // Node keeps the files of its own version in a folder below the configured one.
  return cache === undefined ? undefined : dirname(cache);
}
