import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { movedError } from '@tidemark/ports';
import { errnoOf } from './disk-error.ts';

/** What a path names: a file system and a file in it. It stays the same while the file is in use, under any name. */
export type Place = Pick<BigIntStats, 'dev' | 'ino'>;

/** Returns what a path names; undefined when it names nothing. Passes on other errors of the system. */
export async function placeOf(path: string): Promise<Place | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return { dev, ino };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/**
 * Throws a `movedError` unless a path still names what it did. A deleted or moved file takes writes and syncs as before, but
 * no later process finds them.
 */
export async function assertInPlace(path: string, known: Place): Promise<void> {
  const found = await placeOf(path);
  if (found?.ino === known.ino && found.dev === known.dev) return;
  const what = found === undefined ? 'was moved or deleted' : 'was replaced';
  const text = `${path} ${what} while this process uses it: move the original back, or stop the process first`;
  throw movedError(text, path);
}
