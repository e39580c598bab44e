import { type FileHandle, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { assert, type Disk, type DiskFile, type DiskLock } from '@tidemark/ports';
import { diskError, errnoOf } from './disk-error.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import { LocalFile } from './local-file.ts';
import { makeFolder, syncFolder } from './make-folder.ts';
import { assertInPlace, type Place, placeOf } from './place.ts';

/**
 * A folder of the local file system, created at first use. Creations by `open` and removals by `remove` are durable. After
 * `lock` the folder is not created again: when it was moved or deleted, `unavailable` says so.
 */
export class LocalDisk implements Disk {
  readonly folder: string;
  #lock: FolderLock | undefined;
  /** The folder, as `space` first found it. */
  #place: Place | undefined;

  constructor(folder: string) {
    this.folder = resolve(folder);
  }

  async open(path: string, options: { create?: boolean } = {}): Promise<DiskFile> {
    const full = this.#resolve(path);
    try {
      return new LocalFile(await (options.create ? this.#openOrCreate(full) : open(full, 'r+')), full);
    } catch (error) {
      throw diskError(error, 'open', full);
    }
  }

  async list(path: string): Promise<string[]> {
    const full = this.#resolve(path);
    try {
      return (await readdir(full)).sort();
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw diskError(error, 'list', full);
    }
  }

  async rename(from: string, to: string): Promise<void> {
    const [source, target] = [this.#resolve(from), this.#resolve(to)];
    try {
      await this.#lock?.assertInPlace();
      await makeFolder(dirname(target));
      await rename(source, target);
      await syncFolder(dirname(target));
      if (dirname(source) !== dirname(target)) await syncFolder(dirname(source));
    } catch (error) {
      throw diskError(error, 'rename', source);
    }
  }

  async remove(path: string): Promise<void> {
    const full = this.#resolve(path);
    try {
      await rm(full, { recursive: true, force: true });
      if (full !== this.folder) await syncFolder(dirname(full));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw diskError(error, 'remove', full);
    }
  }

  async lock(path: string): Promise<DiskLock> {
    this.#lock = await lockFolder(this.#resolve(path));
    return this.#lock;
  }

  async space(): Promise<{ freeBytes: number; totalBytes: number }> {
    try {
      // Created at the first use only: one that was moved or deleted since is missed.
      if (this.#place === undefined) await makeFolder(this.folder);
      else await assertInPlace(this.folder, this.#place);
      this.#place ??= await placeOf(this.folder);
      const { bavail, blocks, bsize } = await statfs(this.folder);
      return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    } catch (error) {
      throw diskError(error, 'read the free space of', this.folder);
    }
  }

  #resolve(path: string): string {
    assert(!path.startsWith('/') && !path.split('/').includes('..'), `the path must be inside of the folder: ${path}`);
    return join(this.folder, path);
  }

  async #openOrCreate(path: string): Promise<FileHandle> {
    try {
      return await open(path, 'r+');
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    await this.#lock?.assertInPlace();
    await makeFolder(dirname(path));
    let handle: FileHandle;
    try {
      handle = await open(path, 'wx+');
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return open(path, 'r+');
      throw error;
    }
    try {
      await syncFolder(dirname(path));
    } catch (error) {
      await handle.close();
      throw error;
    }
    return handle;
  }
}
