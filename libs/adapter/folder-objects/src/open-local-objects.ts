import { LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { FolderObjects } from './folder-objects.ts';
import { kernelLocks } from './writer-lock.ts';

/** An object store in a folder of this machine. The first write creates the folder; reading writes nothing. */
export function openLocalObjects(folder: string): FolderObjects {
  const disk = new LocalDisk(folder);
  const parts = { disk, locks: kernelLocks(disk.folder), clock: new SystemClock(), random: new SystemRandom() };
  return new FolderObjects(parts);
}
