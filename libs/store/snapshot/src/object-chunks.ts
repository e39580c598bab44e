import type { ObjectStore } from '@tidemark/ports';

/** Bytes that are read of an object at once. */
export const RANGE_BYTES = 4 * 2 ** 20;

/** Yields the first `sizeBytes` of an object in ranges. Errors: those of `getRange`. */
export async function* objectChunks(
  objects: ObjectStore,
  key: string,
  sizeBytes: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < sizeBytes; offset += RANGE_BYTES) {
    const length = Math.min(RANGE_BYTES, sizeBytes - offset);
    yield await objects.getRange(key, { offset, length }, { signal });
  }
}
