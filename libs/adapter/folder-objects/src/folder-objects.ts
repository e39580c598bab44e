import { crc32c as crc32cOf, toHex } from '@tidemark/bytes';
import {
  assertOneCondition,
  type Clock,
  checkObjectKey,
  checkObjectPrefix,
  checkObjectRange,
  checkPageLimit,
  checkStatedCrc32c,
  checkWholeObject,
  type Disk,
  type DiskFile,
  isTidemarkError,
  type ListOptions,
  type ObjectInfo,
  type ObjectOptions,
  type ObjectPage,
  type ObjectRange,
  type ObjectStore,
  PAGE_KEYS,
  type PutOptions,
  type PutStreamOptions,
  pastObjectEnd,
  type Random,
  type ReadObjectOptions,
  type StoredObject,
  TidemarkError,
} from '@tidemark/ports';
import { Drafts } from './drafts.ts';
import { walkKeys } from './key-walk.ts';
import { absent, objectError, otherVersion, present } from './object-error.ts';
import { encodeTrailer, type ObjectTrailer, readTrailer, TAG_BYTES, TRAILER_BYTES } from './object-file.ts';
import { type FileLocks, WriterLock } from './writer-lock.ts';

const ROOT = 'objects';

export interface FolderObjectsParts {
  readonly disk: Disk;
  /** Locks of files of the same folder. */
  readonly locks: FileLocks;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * An object store in a folder, which several processes may use at the same time. A put writes a draft, syncs it, and renames
 * it under the lock of writers, where the conditions are checked. So an object is there whole or not at all, after a crash
 * and a power loss too. Readers take no lock: an open file stays what it was.
 */
export class FolderObjects implements ObjectStore {
  readonly #disk: Disk;
  readonly #locks: FileLocks;
  readonly #random: Random;
  readonly #writers: WriterLock;
  /** Undefined before the first write. */
  #drafts: Promise<Drafts> | undefined;
  #closing: Promise<void> | undefined;

  constructor({ disk, locks, clock, random }: FolderObjectsParts) {
    this.#disk = disk;
    this.#locks = locks;
    this.#random = random;
    this.#writers = new WriterLock(locks, clock, random);
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<ObjectInfo> {
    checkWholeObject(key, bytes.length, 'put it as a stream');
    async function* once() {
      yield bytes;
    }
    return this.putStream(key, once(), options);
  }

  async putStream(key: string, chunks: AsyncIterable<Uint8Array>, options: PutStreamOptions = {}): Promise<ObjectInfo> {
    checkObjectKey(key);
    assertOneCondition(options);
    options.signal?.throwIfAborted();
    const draft = (await this.#opened()).next();
    let isRenamed = false;
    try {
      const trailer = await this.#writeDraft(key, draft, chunks, options);
      await this.#writers.run(async () => {
        await this.#checkCondition(key, options);
        await this.#disk.rename(draft, pathOf(key));
        isRenamed = true;
      }, options.signal);
      return { key, ...trailer };
    } catch (error) {
      // What is not removed here is removed when the folder is opened again.
      if (!isRenamed) await this.#disk.remove(draft).catch(() => undefined);
      throw objectError(error, 'put', key);
    }
  }

  async head(key: string, options: ObjectOptions = {}): Promise<ObjectInfo> {
    return this.#read('read', key, options, async (_file, trailer) => ({ key, ...trailer }));
  }

  async get(key: string, options: ReadObjectOptions = {}): Promise<StoredObject> {
    return this.#read('read', key, options, async (file, trailer) => {
      checkWholeObject(key, trailer.sizeBytes, 'read it in ranges');
      const bytes = await readExactly(file, 0, trailer.sizeBytes);
      if (bytes === undefined || crc32cOf(bytes) !== trailer.crc32c) throw damagedBytes(key);
      return { key, ...trailer, bytes };
    });
  }

  async getRange(key: string, range: ObjectRange, options: ReadObjectOptions = {}): Promise<Uint8Array> {
    checkObjectRange(key, range);
    return this.#read('read', key, options, async (file, { sizeBytes }) => {
      if (range.offset + range.length > sizeBytes) throw pastObjectEnd(key, range, sizeBytes);
      const bytes = await readExactly(file, range.offset, range.length);
      if (bytes === undefined) throw damagedBytes(key);
      if (range.crc32c !== undefined && crc32cOf(bytes) !== range.crc32c) throw damagedBytes(key);
      return bytes;
    });
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ObjectPage> {
    const { startAfter = '', limit = PAGE_KEYS, signal } = options;
    checkObjectPrefix(prefix);
    checkPageLimit(limit);
    signal?.throwIfAborted();
    const objects: { key: string; sizeBytes: number }[] = [];
    for await (const key of walkKeys(this.#disk, ROOT, prefix, startAfter)) {
      signal?.throwIfAborted();
      const sizeBytes = await this.#sizeOf(key);
      if (sizeBytes === undefined) continue;
      objects.push({ key, sizeBytes });
      if (objects.length === limit) return { objects, next: key };
    }
    return { objects };
  }

  async delete(keys: readonly string[], options: ObjectOptions = {}): Promise<void> {
    for (const key of keys) checkObjectKey(key);
    if (keys.length > 0) await this.#opened();
    for (const key of keys) {
      await this.#writers
        .run(() => this.#disk.remove(pathOf(key)), options.signal)
        .catch((error: unknown) => {
          throw objectError(error, 'delete', key);
        });
    }
    await this.#removeEmptyFolders(keys, options.signal);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const drafts = await this.#drafts?.catch(() => undefined);
    await drafts?.close(this.#disk);
  }

  /** Makes the folder with the first write, and removes the drafts that ended processes left. Readers write nothing. */
  async #opened(): Promise<Drafts> {
    // Nothing would give back its lock.
    if (this.#closing !== undefined) throw new TidemarkError('unavailable', 'the object store was closed');
    this.#drafts ??= this.#openDrafts().catch((error: unknown) => {
      this.#drafts = undefined;
      throw error;
    });
    return this.#drafts;
  }

  async #openDrafts(): Promise<Drafts> {
    // It makes the folder. A file that is locked must not be opened for that: closing it would end the lock of fcntl(2)
    // that another store of this process has.
    await this.#disk.space();
    return this.#writers.run(() => Drafts.open(this.#disk, this.#locks, this.#random));
  }

  async #writeDraft(
    key: string,
    draft: string,
    chunks: AsyncIterable<Uint8Array>,
    options: PutStreamOptions,
  ): Promise<ObjectTrailer> {
    const file = await this.#disk.open(draft, { create: true });
    try {
      let sizeBytes = 0;
      let crc32c = 0;
      for await (const chunk of chunks) {
        options.signal?.throwIfAborted();
        await file.write(chunk, sizeBytes);
        crc32c = crc32cOf(chunk, crc32c);
        sizeBytes += chunk.length;
      }
      options.signal?.throwIfAborted();
      checkStatedCrc32c(key, crc32c, options);
      const trailer = { sizeBytes, version: toHex(this.#random.bytes(TAG_BYTES)), crc32c };
      await file.write(encodeTrailer(trailer), sizeBytes);
      await file.sync();
      return trailer;
    } finally {
      await file.close();
    }
  }

  async #checkCondition(key: string, { ifAbsent, ifVersion }: PutOptions): Promise<void> {
    if (!ifAbsent && ifVersion === undefined) return;
    const found = await this.head(key).catch((error: unknown) => {
      if (isTidemarkError(error, 'not_found')) return undefined;
      throw error;
    });
    if (ifAbsent && found !== undefined) throw present(key);
    if (ifVersion !== undefined && found?.version !== ifVersion) throw otherVersion(key, ifVersion, found?.version);
  }

  async #read<T>(
    what: string,
    key: string,
    { version, signal }: ReadObjectOptions,
    use: (file: DiskFile, trailer: ObjectTrailer) => Promise<T>,
  ): Promise<T> {
    checkObjectKey(key);
    signal?.throwIfAborted();
    try {
      const file = await this.#disk.open(pathOf(key)).catch((error: unknown) => {
        throw isTidemarkError(error, 'not_found') ? absent(key) : error;
      });
      try {
        const trailer = await readTrailer(file, pathOf(key));
        if (version !== undefined && trailer.version !== version) throw otherVersion(key, version, trailer.version);
        const result = await use(file, trailer);
        signal?.throwIfAborted();
        return result;
      } finally {
        await file.close();
      }
    } catch (error) {
      throw objectError(error, what, key);
    }
  }

  /** Bytes of the object by the size of its file; undefined when it was deleted meanwhile. */
  async #sizeOf(key: string): Promise<number | undefined> {
    try {
      const file = await this.#disk.open(pathOf(key));
      try {
        return Math.max(0, (await file.sizeBytes()) - TRAILER_BYTES);
      } finally {
        await file.close();
      }
    } catch (error) {
      // A folder of others may have a dot in its name.
      const isOther = isTidemarkError(error) && error.detail.errno === 'EISDIR';
      if (isTidemarkError(error, 'not_found') || isOther) return undefined;
      throw objectError(error, 'list', key);
    }
  }

  /** Without a writer in between, which would put into a folder that is being removed. */
  async #removeEmptyFolders(keys: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const folders = new Set<string>();
    for (const key of keys) {
      const parts = key.split('/');
      for (let count = parts.length - 1; count > 0; count--) folders.add(parts.slice(0, count).join('/'));
    }
    // The longest first: a folder may be empty after the one in it is removed.
    for (const folder of [...folders].sort((a, b) => b.length - a.length)) {
      const path = `${ROOT}/${folder}`;
      await this.#writers.run(async () => {
        if ((await this.#disk.list(path)).length === 0) await this.#disk.remove(path);
      }, signal);
    }
  }
}

/** Returns `length` bytes, or undefined when the file ends before. */
async function readExactly(file: DiskFile, offset: number, length: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(length);
  return (await file.read(bytes, offset)) === length ? bytes : undefined;
}

function pathOf(key: string): string {
  return `${ROOT}/${key}`;
}

function damagedBytes(key: string): TidemarkError {
  const message = `object ${key}: its bytes do not have their CRC-32C; restore ${pathOf(key)} from a copy`;
  return new TidemarkError('data_loss', message, { key });
}
