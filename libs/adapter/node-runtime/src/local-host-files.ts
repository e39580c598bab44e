import { readdir, readFile, rm, stat } from 'node:fs/promises';

/** Access to all files of the machine, for an agent: it reads `/proc`, and manages its sockets. */
export const LOCAL_HOST_FILES = {
  /** The whole text of a file. */
  readText: (path: string): Promise<string> => readFile(path, 'utf8'),
  /** The names in a folder. */
  list: (path: string): Promise<string[]> => readdir(path),
  /** True when `path` is a socket; false also when `path` does not exist. */
  isSocket: (path: string): Promise<boolean> =>
    stat(path).then(
      (found) => found.isSocket(),
      () => false,
    ),
  /** Removes a file if it exists. */
  remove: (path: string): Promise<void> => rm(path, { force: true }),
} as const;
