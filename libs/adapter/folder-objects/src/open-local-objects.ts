import { LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { FolderObjects } from './folder-objects.ts';
import { kernelLocks } from './writer-lock.ts';

/** Opens a folder of this machine as an object store, and creates it. Errors: as `FolderObjects.open`. */
export function openLocalObjects(folder: string): Promise<FolderObjects> {
  const disk = new LocalDisk(folder);
  const parts = { disk, locks: kernelLocks(disk.folder), clock: new SystemClock(), random: new SystemRandom() };
  return FolderObjects.open(parts);
}
