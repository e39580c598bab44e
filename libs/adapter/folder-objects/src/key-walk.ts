import { type Disk, isObjectKey, isTidemarkError } from '@tidemark/ports';

/**
 * The keys of a folder that begin with `prefix` and come after `startAfter`, in the order of their bytes. Names without a
 * dot are folders; names that are not keys are left out. Errors: those of the disk.
 */
export async function* walkKeys(disk: Disk, root: string, prefix: string, startAfter: string): AsyncGenerator<string> {
  // Only the folder that has all keys of the prefix is read.
  yield* walk(prefix.slice(0, prefix.lastIndexOf('/') + 1));

  async function* walk(folder: string): AsyncGenerator<string> {
    const names = await namesIn(disk, root, `${root}/${folder}`.replace(/\/$/, ''));
    // A folder is in the order at which its keys are: `a-b/c.d` is before `a.b`, and that before `a/b.c`.
    const paths = names.map((name) => folder + (name.includes('.') ? name : `${name}/`)).sort();
    for (const path of paths) {
      if (path.endsWith('/')) {
        const mayHaveKeys = path.startsWith(prefix) || prefix.startsWith(path);
        if (mayHaveKeys && (path > startAfter || startAfter.startsWith(path))) yield* walk(path);
      } else if (path.startsWith(prefix) && path > startAfter && isObjectKey(path)) yield path;
    }
  }
}

async function namesIn(disk: Disk, root: string, path: string): Promise<string[]> {
  try {
    return await disk.list(path);
  } catch (error) {
    // A file of others may have a name without a dot.
    if (!isTidemarkError(error) || error.detail.errno !== 'ENOTDIR' || path === root) throw error;
    // One in the place of the whole folder is an error: it is not an empty store.
    await disk.list(root);
    return [];
  }
}
