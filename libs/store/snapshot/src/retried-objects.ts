import { equalBytes } from '@tidemark/bytes';
import {
  ifStored,
  isTidemarkError,
  type ListOptions,
  type ObjectInfo,
  type ObjectOptions,
  type ObjectPage,
  type ObjectRange,
  type ObjectStore,
  type PutOptions,
  type PutStreamOptions,
  type ReadObjectOptions,
  type StoredObject,
} from '@tidemark/ports';
import { type RetryParts, retried } from './retry.ts';

/**
 * An object store whose operations are repeated while they fail as `unavailable`, except `putStream`: only its caller can make
 * the stream again. Contents of puts with a condition must differ between writers, such as by a random id.
 */
export class RetriedObjects implements ObjectStore {
  readonly #objects: ObjectStore;
  readonly #retry: RetryParts;

  constructor(objects: ObjectStore, retry: RetryParts) {
    this.#objects = objects;
    this.#retry = retry;
  }

  put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<ObjectInfo> {
    const isConditional = options.ifAbsent === true || options.ifVersion !== undefined;
    return this.#retried(async (before) => {
      try {
        return await this.#objects.put(key, bytes, options);
      } catch (error) {
        const isRefused = isTidemarkError(error, 'already_exists') || isTidemarkError(error, 'failed_precondition');
        if (!isConditional || !isRefused || before === 0) throw error;
        // An attempt whose reply was lost may have put it.
        const found = await ifStored(this.#objects.get(key, { signal: options.signal }));
        if (found === undefined || !equalBytes(found.bytes, bytes)) throw error;
        return found;
      }
    }, options.signal);
  }

  putStream(key: string, chunks: AsyncIterable<Uint8Array>, options?: PutStreamOptions): Promise<ObjectInfo> {
    return this.#objects.putStream(key, chunks, options);
  }

  head(key: string, options?: ObjectOptions): Promise<ObjectInfo> {
    return this.#retried(() => this.#objects.head(key, options), options?.signal);
  }

  get(key: string, options?: ReadObjectOptions): Promise<StoredObject> {
    return this.#retried(() => this.#objects.get(key, options), options?.signal);
  }

  getRange(key: string, range: ObjectRange, options?: ReadObjectOptions): Promise<Uint8Array> {
    return this.#retried(() => this.#objects.getRange(key, range, options), options?.signal);
  }

  list(prefix: string, options?: ListOptions): Promise<ObjectPage> {
    return this.#retried(() => this.#objects.list(prefix, options), options?.signal);
  }

  delete(keys: readonly string[], options?: ObjectOptions): Promise<void> {
    return this.#retried(() => this.#objects.delete(keys, options), options?.signal);
  }

  close(): Promise<void> {
    return this.#objects.close();
  }

  #retried<T>(once: (before: number) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return retried(this.#retry, once, signal);
  }
}
