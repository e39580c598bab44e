import type { Disk, DiskFile } from './disk.ts';
import { isTidemarkError } from './error.ts';

/** The first `limitBytes` of a file; undefined when it does not exist. Errors: the disk's. */
export async function readSmallFile(disk: Disk, path: string, limitBytes: number): Promise<Buffer | undefined> {
  let file: DiskFile;
  try {
    file = await disk.open(path);
  } catch (error) {
    if (isTidemarkError(error, 'not_found')) return undefined;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(limitBytes);
    let length = 0;
    while (length < limitBytes) {
      const read = await file.read(bytes.subarray(length), length);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } finally {
    await file.close();
  }
}

/** Writes a file atomically: after a crash it has the previous content or the new one. Durable once it resolves. */
export async function writeSmallFile(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.draft`;
  const file = await disk.open(draft, { create: true });
  try {
    await file.truncate(0);
    await file.write(bytes, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(draft, path);
}
