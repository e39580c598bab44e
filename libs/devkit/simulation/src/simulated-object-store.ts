import { createHash } from 'node:crypto';
import { compareBytes, crc32c } from '@tidemark/bytes';
import {
  assertOneCondition,
  type Clock,
  checkObjectKey,
  checkObjectPrefix,
  checkObjectRange,
  checkPageLimit,
  checkStatedCrc32c,
  checkWholeObject,
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
  sleep,
  TidemarkError,
} from '@tidemark/ports';
import type { FaultPlan } from './fault-plan.ts';
import type { Incarnation } from './incarnation.ts';

export interface SimulatedObjectStoreOptions {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * Faults: `objects.unavailable` (the operation is not applied; of a deletion of several keys some may be), `objects.lost-reply` (it is, and fails as `unavailable`),
   * `objects.slow` (100 times the latency).
   */
  readonly faults?: FaultPlan;
  /** Max latency of a request and of its reply, ms of virtual time each. Default 2. */
  readonly maxLatencyMs?: number;
}

type Stored = Omit<StoredObject, 'key'>;

/** A list in progress. Keys that are put or deleted meanwhile may be in it or not. */
interface ListInProgress {
  readonly prefix: string;
  readonly found: Map<string, number>;
  readonly touched: Map<string, number>;
}

/**
 * An object store that outlives the processes that use it through `bind`. It promises no more than the port does: a list is not a
 * moment, equal bytes have equal versions, and a write that was sent may be applied shortly after its process has ended.
 */
export class SimulatedObjectStore {
  readonly #objects = new Map<string, Stored>();
  readonly #lists = new Set<ListInProgress>();
  readonly #options: SimulatedObjectStoreOptions;
  /** Puts and deletions that had an effect, for checks from outside. */
  changes = 0;

  constructor(options: SimulatedObjectStoreOptions) {
    this.#options = options;
  }

  /** Makes the store for one process. */
  bind(incarnation: Incarnation): ObjectStore {
    return new ProcessObjects(this, incarnation);
  }

  /** Returns all keys, sorted, for checks from outside. */
  keys(): string[] {
    return [...this.#objects.keys()].sort();
  }

  /** Returns the bytes of an object, for checks from outside. */
  peek(key: string): Uint8Array | undefined {
    return this.#objects.get(key)?.bytes;
  }

  /** Puts an object at once, as another program would. */
  poke(key: string, bytes: Uint8Array): void {
    this.#replace(key, storedOf(bytes));
  }

  /** Changes the bytes of an object, and not its checksum, as damage of a disk does. */
  damage(key: string, bytes: Uint8Array): void {
    const stored = this.#objects.get(key);
    if (stored !== undefined) this.#objects.set(key, { ...stored, sizeBytes: bytes.length, bytes });
  }

  put(key: string, bytes: Uint8Array, { ifAbsent, ifVersion }: PutOptions): ObjectInfo {
    const found = this.#objects.get(key);
    if (ifAbsent && found !== undefined) throw new TidemarkError('already_exists', `object ${key} exists`, { key });
    if (ifVersion !== undefined && found?.version !== ifVersion) throw otherVersion(key, ifVersion, found);
    const stored = storedOf(bytes);
    this.#replace(key, stored);
    return infoOf(key, stored);
  }

  find(key: string, version: string | undefined): Stored {
    const found = this.#objects.get(key);
    if (found === undefined) throw new TidemarkError('not_found', `object ${key} does not exist`, { key });
    if (version !== undefined && found.version !== version) throw otherVersion(key, version, found);
    return found;
  }

  delete(keys: readonly string[]): void {
    for (const key of keys) {
      const found = this.#objects.get(key);
      if (found === undefined) continue;
      this.#objects.delete(key);
      this.#touch(key, found.sizeBytes);
    }
  }

  /** Begins a list; the function that it returns ends it. */
  beginList(prefix: string, startAfter: string): () => Map<string, number> {
    const found = new Map<string, number>();
    for (const [key, { sizeBytes }] of this.#objects) {
      if (key.startsWith(prefix) && isAfter(key, startAfter)) found.set(key, sizeBytes);
    }
    const list: ListInProgress = { prefix, found, touched: new Map() };
    this.#lists.add(list);
    return () => {
      this.#lists.delete(list);
      for (const [key, sizeBytes] of list.touched) {
        if (!isAfter(key, startAfter)) continue;
        if (this.#options.random.next() < 0.5) found.set(key, sizeBytes);
        else found.delete(key);
      }
      return found;
    };
  }

  /** Runs an operation of a process: a request, its effect, and the reply. */
  async request<T>(incarnation: Incarnation, isWrite: boolean, effect: () => T): Promise<T> {
    const { random, faults } = this.#options;
    await this.delay();
    if (!incarnation.alive && (!isWrite || random.next() < 0.5)) incarnation.assertAlive();
    if (faults?.fires('objects.unavailable'))
      throw new TidemarkError('unavailable', 'injected: the request was refused');
    const result = effect();
    await this.delay();
    if (faults?.fires('objects.lost-reply')) throw new TidemarkError('unavailable', 'injected: the reply was lost');
    return result;
  }

  async delay(): Promise<void> {
    const { clock, random, faults, maxLatencyMs = 2 } = this.#options;
    await sleep(clock, random.next() * maxLatencyMs * (faults?.fires('objects.slow') ? 100 : 1));
  }

  #replace(key: string, stored: Stored): void {
    this.#objects.set(key, stored);
    this.#touch(key, stored.sizeBytes);
  }

  #touch(key: string, sizeBytes: number): void {
    this.changes++;
    for (const { prefix, touched } of this.#lists) if (key.startsWith(prefix)) touched.set(key, sizeBytes);
  }
}

class ProcessObjects implements ObjectStore {
  readonly #store: SimulatedObjectStore;
  readonly #incarnation: Incarnation;

  constructor(store: SimulatedObjectStore, incarnation: Incarnation) {
    this.#store = store;
    this.#incarnation = incarnation;
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<ObjectInfo> {
    checkObjectKey(key);
    assertOneCondition(options);
    checkWholeObject(key, bytes.length, 'put it as a stream');
    const own = Uint8Array.from(bytes);
    return this.#request(options, true, () => this.#store.put(key, own, options));
  }

  async putStream(key: string, chunks: AsyncIterable<Uint8Array>, options: PutStreamOptions = {}): Promise<ObjectInfo> {
    checkObjectKey(key);
    assertOneCondition(options);
    options.signal?.throwIfAborted();
    const parts: Uint8Array[] = [];
    for await (const chunk of chunks) {
      parts.push(Uint8Array.from(chunk));
      await this.#incarnation.guard(() => this.#store.delay());
      options.signal?.throwIfAborted();
    }
    const bytes = new Uint8Array(Buffer.concat(parts));
    checkStatedCrc32c(key, crc32c(bytes), options);
    return this.#request(options, true, () => this.#store.put(key, bytes, options));
  }

  async head(key: string, options: ObjectOptions = {}): Promise<ObjectInfo> {
    checkObjectKey(key);
    return this.#request(options, false, () => infoOf(key, this.#store.find(key, undefined)));
  }

  async get(key: string, options: ReadObjectOptions = {}): Promise<StoredObject> {
    checkObjectKey(key);
    return this.#request(options, false, () => {
      const found = this.#store.find(key, options.version);
      checkWholeObject(key, found.sizeBytes, 'read it in ranges');
      if (crc32c(found.bytes) !== found.crc32c) throw damaged(key);
      return { ...infoOf(key, found), bytes: Uint8Array.from(found.bytes) };
    });
  }

  async getRange(key: string, range: ObjectRange, options: ReadObjectOptions = {}): Promise<Uint8Array> {
    checkObjectKey(key);
    checkObjectRange(key, range);
    return this.#request(options, false, () => {
      const { bytes } = this.#store.find(key, options.version);
      if (range.offset + range.length > bytes.length) throw pastObjectEnd(key, range, bytes.length);
      const part = Uint8Array.from(bytes.subarray(range.offset, range.offset + range.length));
      if (range.crc32c !== undefined && crc32c(part) !== range.crc32c) throw damaged(key);
      return part;
    });
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ObjectPage> {
    const { startAfter = '', limit = PAGE_KEYS } = options;
    checkObjectPrefix(prefix);
    checkPageLimit(limit);
    const end = await this.#request(options, false, () => this.#store.beginList(prefix, startAfter));
    await this.#incarnation.guard(() => this.#store.delay());
    const sorted = [...end()].sort(([a], [b]) => (isAfter(a, b) ? 1 : -1));
    const objects = sorted.slice(0, limit).map(([key, sizeBytes]) => ({ key, sizeBytes }));
    return sorted.length <= limit ? { objects } : { objects, next: objects[limit - 1].key };
  }

  async delete(keys: readonly string[], options: ObjectOptions = {}): Promise<void> {
    for (const key of keys) checkObjectKey(key);
    // In two requests, of which one may fail.
    const middle = keys.length >> 1;
    for (const part of [keys.slice(0, middle), keys.slice(middle)]) {
      if (part.length > 0) await this.#request(options, true, () => this.#store.delete(part));
    }
  }

  async close(): Promise<void> {}

  async #request<T>({ signal }: ObjectOptions, isWrite: boolean, effect: () => T): Promise<T> {
    signal?.throwIfAborted();
    const result = await this.#incarnation.guard(() => this.#store.request(this.#incarnation, isWrite, effect));
    signal?.throwIfAborted();
    return result;
  }
}

function storedOf(bytes: Uint8Array): Stored {
  const version = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return { sizeBytes: bytes.length, version, crc32c: crc32c(bytes), bytes };
}

function infoOf(key: string, { sizeBytes, version, crc32c }: Stored): ObjectInfo {
  return { key, sizeBytes, version, crc32c };
}

function isAfter(key: string, other: string): boolean {
  return compareBytes(Buffer.from(key), Buffer.from(other)) > 0;
}

function otherVersion(key: string, wanted: string, found: Stored | undefined): TidemarkError {
  const shown = found === undefined ? 'does not exist' : `has version ${found.version}`;
  return new TidemarkError('failed_precondition', `object ${key} ${shown} (expected: ${wanted})`, { key });
}

function damaged(key: string): TidemarkError {
  return new TidemarkError('data_loss', `object ${key}: its bytes do not have their CRC-32C`, { key });
}
