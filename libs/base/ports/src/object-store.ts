/** Max bytes of an object that `put` takes and `get` returns, and of one range: these are whole in memory. */
export const WHOLE_OBJECT_BYTES = 64 * 2 ** 20;
/** Max keys of one page of a list. S3 has the same limit. */
export const PAGE_KEYS = 1000;

export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
  /**
   * Tag of the content. It changes when the content does. Content that was written again may have its tag again: S3 makes
   * tags of the bytes.
   */
  readonly version: string;
  /** CRC-32C of all bytes. */
  readonly crc32c: number;
}

export interface StoredObject extends ObjectInfo {
  readonly bytes: Uint8Array;
}

/** Options of every operation. When `signal` aborts, the operation throws its reason; a write may have happened or not. */
export interface ObjectOptions {
  readonly signal?: AbortSignal;
}

/** Without a condition a put replaces the object. At most one of them may be set. */
export interface PutOptions extends ObjectOptions {
  /** Puts only a new object; `already_exists` when the key has one. */
  readonly ifAbsent?: boolean;
  /** Replaces only this version; `failed_precondition` when the object has another one or does not exist. */
  readonly ifVersion?: string;
}

export interface PutStreamOptions extends PutOptions {
  /** CRC-32C of the whole stream, where the caller knows it; `invalid_argument` when the stream has another. */
  readonly crc32c?: number;
}

export interface ReadObjectOptions extends ObjectOptions {
  /** Reads only this version; `failed_precondition` when the object has another one. */
  readonly version?: string;
}

export interface ObjectRange {
  /** First byte, from 0. */
  readonly offset: number;
  /** Number of bytes, 1 to `WHOLE_OBJECT_BYTES`. */
  readonly length: number;
  /** CRC-32C of the range, where the caller knows it; other bytes are `data_loss`. */
  readonly crc32c?: number;
}

export interface ListOptions extends ObjectOptions {
  /** Begins after this key. It need not exist. */
  readonly startAfter?: string;
  /** Max objects of the page, 1 to `PAGE_KEYS`, which is the default. */
  readonly limit?: number;
}

export interface ObjectPage {
  readonly objects: readonly Pick<ObjectInfo, 'key' | 'sizeBytes'>[];
  /** `startAfter` of the next page; undefined at the end. A page before the end may be empty. */
  readonly next?: string;
}

/**
 * Immutable blobs by key, durable once a write resolves. Keys are those that `checkObjectKey` accepts. Operations on one
 * key are linearizable, across processes too: of two puts with one condition at most one succeeds. A reader gets the
 * whole of one version. A failed or interrupted put leaves the version before.
 *
 * Errors of all operations: `unavailable` (throttled, slow, unreachable, failing; the outcome of a write is unknown: read
 * before repeating it under a condition), `permission_denied` (credentials or rights), `failed_precondition` (settings, such
 * as a bucket that does not exist), `resource_exhausted` (the store is full), `invalid_argument` (a key or a limit). Their
 * detail has the key.
 */
export interface ObjectStore {
  /**
   * Puts a whole object; the bytes must not change before it resolves. Errors: those of the conditions; `aborted` when
   * another writer of the key came in between (not stored: retry).
   */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<ObjectInfo>;
  /**
   * Puts an object of any size, with the memory of one part. Errors: as `put`, and that which the stream throws; then
   * nothing is stored.
   */
  putStream(key: string, chunks: AsyncIterable<Uint8Array>, options?: PutStreamOptions): Promise<ObjectInfo>;
  /** What is known of an object without its bytes. `not_found` when it does not exist. */
  head(key: string, options?: ObjectOptions): Promise<ObjectInfo>;
  /**
   * The whole object, compared with its size and CRC-32C: `data_loss` when they differ. `not_found` when it does not exist,
   * `invalid_argument` when it has more than `WHOLE_OBJECT_BYTES`: read it in ranges.
   */
  get(key: string, options?: ReadObjectOptions): Promise<StoredObject>;
  /**
   * A part of an object, exactly `length` bytes. `out_of_range` when the object ends before the range does. No store keeps
   * checksums of ranges: the bytes are checked only with `range.crc32c`, or by the caller's own format.
   */
  getRange(key: string, range: ObjectRange, options?: ReadObjectOptions): Promise<Uint8Array>;
  /**
   * A page of the objects whose keys begin with `prefix`, in the order of their bytes. An object that is put or deleted
   * meanwhile may be listed or not. Files and objects of others, whose names are not keys, are left out.
   */
  list(prefix: string, options?: ListOptions): Promise<ObjectPage>;
  /** Deletes objects; no error for those that do not exist. After an error some of them may be deleted. */
  delete(keys: readonly string[], options?: ObjectOptions): Promise<void>;
  /** Releases connections and locks. Idempotent; other operations must have ended. */
  close(): Promise<void>;
}
