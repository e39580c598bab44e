import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TidemarkError } from '@tidemark/ports';
import { rocksDbError } from './errors.ts';
import { ifThere } from './if-there.ts';
import { syncPath } from './sync-path.ts';

/** A file or a folder that can be made durable. */
export interface Syncable {
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The parts of a database folder that `WalSync` uses. */
export interface WalFolder {
  /** Number of the write-ahead file that is written now. */
  currentNumber(): Promise<number>;
  /** Numbers of all write-ahead files. */
  numbers(): Promise<number[]>;
  /** Opens a write-ahead file; undefined when it was removed. */
  open(number: number): Promise<Syncable | undefined>;
  /** Makes the names in the folder durable. */
  syncNames(): Promise<void>;
  /** Throws when the folder was moved, deleted or replaced: no later process would find what was synced. */
  assertInPlace(): Promise<void>;
}

/**
 * Makes RocksDB's write-ahead log durable. The binding writes with `WriteOptions::sync` off: a resolved write is in the
 * kernel's page cache, which a power cut takes. So after a write its file is synced here, through a descriptor of our
 * own: fdatasync(2) syncs all writes to the file, from any descriptor.
 *
 * RocksDB may start a new file at any write, and recovery stops at the first hole. So a sync covers every file from
 * the oldest that may have unsynced bytes to the current one, in order. A removed file needs no sync: RocksDB removes
 * a file only when its content is in synced tables.
 *
 * Callers that arrive while a sync runs share the next one. After a failed sync the kernel may have dropped the pages
 * it could not write and marked them clean, so a later success would prove nothing: every further sync fails as well.
 */
export class WalSync {
  readonly #folder: WalFolder;
  readonly #path: string;
  #file: Syncable | undefined;
  #number = -1;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #failure: unknown;

  constructor(folder: WalFolder, path: string) {
    this.#folder = folder;
    this.#path = path;
  }

  /** Resolves once everything written before the call is durable. */
  sync(): Promise<void> {
    this.#next ??= this.#afterRunning();
    return this.#next;
  }

  /** Throws when an earlier sync failed. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async close(): Promise<void> {
    await (this.#next ?? this.#running)?.catch(() => undefined);
    await this.#file?.close();
    this.#file = undefined;
  }

  async #afterRunning(): Promise<void> {
    await this.#running?.catch(() => undefined);
    this.#running = this.#next;
    this.#next = undefined;
    this.check();
    // Before the sync, which would find no files and fail permanently, and after it: the folder may be moved meanwhile.
    await this.#folder.assertInPlace();
    try {
      await this.#syncFiles();
    } catch (error) {
      this.#failure = rocksDbError(error, 'sync', this.#path);
      throw this.#failure;
    }
    await this.#folder.assertInPlace();
  }

  async #syncFiles(): Promise<void> {
    const current = await this.#folder.currentNumber();
    if (current !== this.#number) {
      await this.#file?.sync();
      const older = (await this.#folder.numbers()).filter((number) => number > this.#number && number < current);
      for (const number of older.sort((a, b) => a - b)) {
        const file = await this.#folder.open(number);
        await file?.sync();
        await file?.close();
      }
      await this.#file?.close();
      this.#file = await this.#folder.open(current);
      this.#number = current;
      await this.#folder.syncNames();
    }
    await this.#file?.sync();
  }
}

/** The folder of a real database. Files of the write-ahead log are named `000123.log`. */
export async function walFolder(path: string, currentNumber: () => Promise<number>): Promise<WalFolder> {
  const known = await place(path);
  return {
    currentNumber,
    async numbers() {
      const names = await readdir(path);
      return names.filter((name) => /^\d+\.log$/.test(name)).map((name) => Number.parseInt(name, 10));
    },
    async open(number) {
      const file = await ifThere(open(join(path, `${String(number).padStart(6, '0')}.log`), 'r+'));
      return file && { sync: () => file.datasync(), close: () => file.close() };
    },
    syncNames: () => syncPath(path),
    async assertInPlace() {
      const found = await place(path);
      if (found === known) return;
      const what = found === undefined ? 'was moved or deleted' : 'was replaced';
      const text = `the database ${path} ${what} while it is in use: move the original back, or stop the process first`;
      throw new TidemarkError('unavailable', text, { path });
    },
  };
}

/** Names the folder that a path leads to; undefined when there is none. */
async function place(path: string): Promise<string | undefined> {
  const found = await ifThere(stat(path, { bigint: true }));
  return found && `${found.dev}/${found.ino}`;
}
