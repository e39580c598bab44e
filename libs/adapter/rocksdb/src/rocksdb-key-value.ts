import { mkdir } from 'node:fs/promises';
import { compareBytes } from '@tidemark/bytes';
import {
  AssertionError,
  assert,
  type KeyRange,
  type KeyValue,
  type KeyValueWrite,
  limitError,
  TidemarkError,
} from '@tidemark/ports';
import RocksDB from 'rocksdb-native';
import { checkFiles } from './check-files.ts';
import { type CheckpointFile, linkTables } from './checkpoint.ts';
import { pagedEntries } from './entries.ts';
import { type Operation, rocksDbError } from './errors.ts';
import type { WalDamage } from './wal-chain.ts';
import { type WalFolder, WalSync, walFolder } from './wal-sync.ts';

const MAX_KEY_BYTES = 65_536;
const MAX_VALUE_BYTES = 67_108_864;
const MAX_BATCH_BYTES = 1_073_741_824;
/** Where RocksDB has memory that is not of a read in progress. */
const MEMORY_PROPERTIES = ['rocksdb.size-all-mem-tables', 'rocksdb.estimate-table-readers-mem'] as const;

export interface RocksDbOptions {
  /** Bytes of writes in memory before they become a table; default 64 MiB. Up to two such buffers exist. */
  readonly writeBufferBytes?: number;
  /** Maximum open table files; default 512. */
  readonly maxOpenFiles?: number | undefined;
  /** Concurrent background flushes and compactions; default 2. */
  readonly maxBackgroundJobs?: number;
}

/**
 * Opens the database in the folder `path` (absolute, or relative to the working directory), and creates it if it does
 * not exist. Also works in worker threads. Errors: `failed_precondition` when it is open already, here or in another
 * process, or when a parent of `path` is a file; `data_loss` when its files are damaged, or `path` is a file;
 * `resource_exhausted` when the disk is full; `permission_denied`; `unavailable` for other I/O errors.
 *
 * The caller must have a lock of the folder, or of one above it: damaged write-ahead files are cut before RocksDB takes its own
 * lock, and a database that is open elsewhere would then write to a file that was moved.
 *
 * After a power cut the write-ahead log is replayed up to its first damaged record. All acknowledged writes are
 * before that record, provided that the disk keeps synced bytes. Where it does not, the database is one that ended earlier, but
 * not before the last `flush`, and `walDamage` has the place. All that it has is in tables then.
 */
export async function openRocksDb(path: string, options: RocksDbOptions = {}): Promise<RocksDbKeyValue> {
  try {
    await makeFolder(path);
    const damage = await checkFiles(path);
    const db = new RocksDB(path, {
      writeBufferSize: options.writeBufferBytes ?? 67_108_864,
      maxOpenFiles: options.maxOpenFiles ?? 512,
      maxBackgroundJobs: options.maxBackgroundJobs ?? 2,
      // Tables are not compressed, so that the system's cache of files has the same blocks, and gives the memory back. Each
      // database would have 32 MiB more.
      blockCache: false,
      tableCacheIndexAndFilterBlocks: false,
    });
    await db.ready();
    const folder = await walFolder(path, async () => (await db.currentWalFile()).number);
    return new RocksDbKeyValue(db, path, folder, damage);
  } catch (error) {
    throw rocksDbError(error, 'open', path);
  }
}

/**
 * A KeyValue over RocksDB. Keys have 1 to 65,536 bytes, values up to 64 MiB, a batch up to 1 GiB; more is
 * `invalid_argument`. Writes are applied in the order of the calls. The arrays of a batch must not change before its
 * `write` has settled.
 *
 * A `write` that resolved survives `kill -9`, a crash of the system and a power cut: its bytes in the write-ahead log
 * have been synced (fdatasync on Linux, F_FULLFSYNC on macOS). A read may see a write shortly before it is durable. A
 * `write` that failed may be there after a restart, whole. Once a sync has failed the store takes no more writes until
 * it is opened again.
 */
export class RocksDbKeyValue implements KeyValue {
  readonly #db: RocksDB;
  readonly #path: string;
  readonly #wal: WalSync;
  #lastWrite: Promise<void> = Promise.resolve();
  /** Checkpoints in progress. After a close another database may have this folder. */
  readonly #copies = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;
  /** Where the write-ahead log could not be read further at the open: what followed is not in this store. */
  readonly walDamage: WalDamage | undefined;

  constructor(db: RocksDB, path: string, folder: WalFolder, walDamage?: WalDamage) {
    this.walDamage = walDamage;
    this.#db = db;
    this.#path = path;
    this.#wal = new WalSync(folder, path);
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#try('read', async () => {
      checkKey(key);
      return (await this.#db.get(key)) ?? undefined;
    });
  }

  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#try('read', async () => {
      for (const key of keys) checkKey(key);
      if (keys.length === 0) return [];
      const batch = this.#db.read({ capacity: keys.length, autoDestroy: true });
      const values = keys.map((key) => batch.get(key));
      batch.tryFlush();
      return (await Promise.all(values)).map((value) => value ?? undefined);
    });
  }

  /** Holds the snapshot until the iteration ends, by its end, a `break` or an error, or the store is closed. */
  entries(range: KeyRange): AsyncIterable<{ key: Uint8Array; value: Uint8Array }> {
    this.#checkOpen();
    const owned = { ...range, from: range.from.slice(), to: range.to.slice() };
    const snapshot = this.#db.snapshot();
    return this.#iterate(snapshot, owned);
  }

  async *#iterate(snapshot: RocksDB, range: KeyRange): AsyncGenerator<{ key: Uint8Array; value: Uint8Array }> {
    try {
      yield* pagedEntries(snapshot, range);
    } catch (error) {
      throw rocksDbError(error, 'read', this.#path);
    } finally {
      await snapshot.close();
    }
  }

  write(batch: readonly KeyValueWrite[]): Promise<void> {
    return this.#try('write', async () => {
      const keyBytes = checkBatch(batch);
      if (batch.length === 0) return;
      await this.#apply(batch.length, (writes) => {
        // A small typed array is in the JavaScript heap, and an access of the binding moves it out, which costs an
        // allocation. Views of one large array are already outside: this halves the time of a batch of many small keys.
        const arena = new Uint8Array(keyBytes);
        let at = 0;
        for (const { key, value } of batch) {
          arena.set(key, at);
          const owned = arena.subarray(at, at + key.length);
          at += key.length;
          if (value === undefined) writes.tryDelete(owned);
          else writes.tryPut(owned, value);
        }
      });
    });
  }

  deleteRange(from: Uint8Array, to: Uint8Array): Promise<void> {
    return this.#try('write', async () => {
      if (compareBytes(from, to) >= 0) return;
      await this.#apply(1, (writes) => writes.tryDeleteRange(from, to));
    });
  }

  /**
   * Makes tables of all writes before the call: those no longer depend on the write-ahead log, and a read finds damage of them.
   * Costs a table, so it is for writes that nothing else has any more.
   */
  flush(): Promise<void> {
    return this.#try('write', async () => {
      const flushed = this.#lastWrite.then(() => this.#db.flush());
      this.#lastWrite = flushed.catch(() => undefined);
      await flushed;
    });
  }

  /**
   * Makes a database in the folder `to`, which must not exist, of all writes that have resolved; of later ones it may have the
   * first. Tables are hard links where `to` is on the same file system. Writes and reads continue meanwhile. Returns its files.
   * A crash leaves `to` whole or not there. Errors: `failed_precondition` where `to` exists; `data_loss` where the manifest is
   * damaged; `resource_exhausted`; `unavailable` where compactions removed tables too often.
   */
  checkpoint(to: string): Promise<CheckpointFile[]> {
    const copied = this.#try('copy', async () => {
      await this.#lastWrite;
      // Unlike `flush`, nothing waits for it: batches that come meanwhile are in later tables, or in none.
      await this.#db.flush();
      return linkTables(this.#path, to);
    });
    const ended = copied.catch(() => undefined);
    this.#copies.add(ended);
    void ended.then(() => this.#copies.delete(ended));
    return copied;
  }

  /** An estimate of the bytes of the entries in [from, to), in tables and in memory. */
  approximateSizeBytes(from: Uint8Array, to: Uint8Array): Promise<number> {
    return this.#try('read', async () => {
      if (compareBytes(from, to) >= 0) return 0;
      return Number(await this.#db.approximateSize(from, to, { includeMemtables: true }));
    });
  }

  /** Bytes in memory: writes that are in no table yet, and indexes and filters of open tables. */
  memoryBytes(): Promise<number> {
    return this.#try('read', async () => {
      const values = await Promise.all(MEMORY_PROPERTIES.map((name) => this.#db.getProperty(name)));
      return values.reduce((bytes, value) => bytes + Number(value ?? 0), 0);
    });
  }

  /**
   * Waits for the operations in progress, makes tables of all writes where the disk allows that, then closes; idempotent.
   * Iterations in progress fail at their next page.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#lastWrite;
    await Promise.all(this.#copies);
    await this.#db.flush().catch(() => undefined);
    await this.#wal.close();
    try {
      await this.#db.close();
    } catch (error) {
      throw rocksDbError(error, 'close', this.#path);
    }
  }

  async #apply(count: number, fill: (writes: ReturnType<RocksDB['write']>) => void): Promise<void> {
    const applied = this.#lastWrite.then(async () => {
      this.#wal.check();
      const writes = this.#db.write({ capacity: count });
      try {
        fill(writes);
        await writes.flush();
      } finally {
        writes.destroy();
      }
    });
    // The next write waits for this one, and `close` for the last one's sync.
    this.#lastWrite = applied.catch(() => undefined);
    await applied;
    await this.#wal.sync();
  }

  async #try<T>(operation: Operation, task: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    try {
      return await task();
    } catch (error) {
      if (error instanceof AssertionError) throw error;
      throw rocksDbError(error, operation, this.#path);
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) {
      throw new TidemarkError('failed_precondition', 'the key-value store is closed', { path: this.#path });
    }
  }
}

/** Makes the folder of a database. The binding's own creation of parent folders never returns when a parent can't be created. */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') {
      const text = `the folder ${path} can't be created, because one above it is a file: move that file away`;
      throw new TidemarkError('failed_precondition', text, { path }, { cause: error });
    }
    if (code !== 'EEXIST') throw error;
    throw new TidemarkError('data_loss', `${path} is a file, not the folder of a database`, { path }, { cause: error });
  }
}

/** Checks the sizes of a batch; returns the bytes of its keys. */
function checkBatch(batch: readonly KeyValueWrite[]): number {
  let keyBytes = 0;
  let valueBytes = 0;
  for (const { key, value } of batch) {
    checkKey(key);
    keyBytes += key.length;
    if (value !== undefined) {
      checkSize('value', value, MAX_VALUE_BYTES);
      valueBytes += value.length;
    }
  }
  if (keyBytes + valueBytes > MAX_BATCH_BYTES) {
    throw new TidemarkError('invalid_argument', `the batch exceeds ${MAX_BATCH_BYTES} bytes`, {
      sizeBytes: keyBytes + valueBytes,
      limitBytes: MAX_BATCH_BYTES,
    });
  }
  return keyBytes;
}

function checkKey(key: Uint8Array): void {
  checkSize('key', key, MAX_KEY_BYTES);
  if (key.length === 0) throw limitError('key', '0 bytes', 'at least 1 byte');
}

function checkSize(field: 'key' | 'value', bytes: Uint8Array, limitBytes: number): void {
  // The binding ends the process when it gets a value of another type.
  assert(ArrayBuffer.isView(bytes), `${field} is a Uint8Array`);
  if (bytes.length > limitBytes) throw limitError(field, `${bytes.length} bytes`, `${limitBytes} bytes`);
}
