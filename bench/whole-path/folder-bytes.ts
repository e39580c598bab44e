import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Counts the bytes of all files below a folder; 0 if it does not exist. */
export function folderBytes(path: string): number {
  try {
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  } catch {
    return 0;
  }
}
