import { readdir, readFile, rm, stat } from 'node:fs/promises';

/** The files of the machine, anywhere: what an agent reads of `/proc`, and its sockets. */
export const HOST_FILES = {
  /** The whole text of a file. */
  readText: (path: string): Promise<string> => readFile(path, 'utf8'),
  /** The names in a folder. */
  list: (path: string): Promise<string[]> => readdir(path),
  /** False also when there is nothing at `path`. */
  isSocket: (path: string): Promise<boolean> =>
    stat(path).then(
      (found) => found.isSocket(),
      () => false,
    ),
  /** Removes a file, if it is there. */
  remove: (path: string): Promise<void> => rm(path, { force: true }),
} as const;
