import type { Readable } from 'node:stream';
import { assert, TidemarkError } from '@tidemark/ports';

/**
 * Reads a body of exactly `length` bytes. `unavailable` when it ends before, is longer, or the connection fails; the reason
 * of `signal` when that aborts. Takes no more memory than `length`.
 */
export async function readBody(body: unknown, length: number, key: string, signal: AbortSignal): Promise<Uint8Array> {
  const stream = body as Readable;
  assert(typeof stream?.[Symbol.asyncIterator] === 'function', 'the SDK answers with a stream on Node');
  const bytes = new Uint8Array(length);
  let read = 0;
  const end = () => stream.destroy(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      if (read + chunk.length > length) throw cut(key, read + chunk.length, length);
      bytes.set(chunk, read);
      read += chunk.length;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof TidemarkError ? error : cut(key, read, length);
  } finally {
    signal.removeEventListener('abort', end);
  }
  if (read !== length) throw cut(key, read, length);
  return bytes;
}

/** Ends a body, with its connection unless all of it was read. */
export function dropBody(body: unknown): void {
  (body as Readable | undefined)?.destroy?.();
}

function cut(key: string, read: number, length: number): TidemarkError {
  const message = `object ${key}: its body had ${read} bytes (stated: ${length}); check the server and the network`;
  return new TidemarkError('unavailable', message, { key, readBytes: read, statedBytes: length });
}
