export type { FolderObjectsParts } from './folder-objects.ts';
export { FolderObjects } from './folder-objects.ts';
export { openLocalObjects } from './open-local-objects.ts';
export type { FileLocks } from './writer-lock.ts';
