import type { TagPartition } from '../tag-partition.ts';

/** Commits, lets a renumbering that the commit has begun end, and makes it that of the store. */
export async function commitRenumbered(partition: TagPartition): Promise<void> {
  await partition.commit();
  await turn();
  while (partition.wantsCommit) await partition.commit();
}

/** Resolves after all work that waits for nothing else. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
