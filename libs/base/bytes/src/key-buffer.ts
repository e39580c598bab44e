import { TidemarkError } from '@tidemark/ports';

/** Returns a stored key as a buffer, as a view. Throws `data_loss` when it has fewer than `minBytes` bytes. */
export function keyBuffer(key: Uint8Array, minBytes: number): Buffer {
  if (key.length < minBytes) {
    const message = `a stored key has ${key.length} bytes (limit: at least ${minBytes})`;
    throw new TidemarkError('data_loss', message, { bytes: key.length, limit: minBytes });
  }
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength);
}
