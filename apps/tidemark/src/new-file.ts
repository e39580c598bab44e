import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { TidemarkError } from '@tidemark/ports';

/** Throws `already_exists` for a file that exists: nothing is overwritten. */
export function refuseExisting(file: string): void {
  if (existsSync(file)) {
    throw new TidemarkError('already_exists', `${file} exists: it is not overwritten; name another file`, { file });
  }
}

/**
 * Writes a file that does not exist, under another name next to it until it is whole and synced. Errors: `already_exists`; those of the
 * text and of the disk, after which nothing is left.
 */
export async function writeNewFile(file: string, text: AsyncIterable<string>): Promise<void> {
  refuseExisting(file);
  const own = `${file}.${randomUUID()}.tmp`;
  const handle = await open(own, 'wx');
  try {
    try {
      for await (const piece of text) await handle.writeFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // Long work: another program may have made it.
    refuseExisting(file);
    await rename(own, file);
  } catch (error) {
    await rm(own, { force: true });
    throw error;
  }
}
