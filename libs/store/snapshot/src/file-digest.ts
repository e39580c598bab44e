import { createHash } from 'node:crypto';
import { crc32c } from '@tidemark/bytes';
import { type Disk, TidemarkError } from '@tidemark/ports';

/** Bytes that are read of a file at once. */
const CHUNK_BYTES = 2 ** 20;

export interface FileDigest {
  /** In lower-case hexadecimal digits. */
  readonly sha256: string;
  readonly crc32c: number;
}

/** Yields the `sizeBytes` of a file in chunks. `failed_precondition` where it has another size. */
export async function* fileChunks(
  disk: Disk,
  path: string,
  sizeBytes: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const file = await disk.open(path);
  try {
    const found = await file.sizeBytes();
    if (found !== sizeBytes) throw changed(path, `${found} bytes (expected: ${sizeBytes})`);
    for (let at = 0; at < sizeBytes; ) {
      signal?.throwIfAborted();
      const chunk = new Uint8Array(Math.min(CHUNK_BYTES, sizeBytes - at));
      const read = await file.read(chunk, at);
      if (read === 0) throw changed(path, `it ends after ${at} bytes (expected: ${sizeBytes})`);
      at += read;
      yield chunk.subarray(0, read);
    }
  } finally {
    await file.close();
  }
}

/** Checksums of all chunks; `seen` is called after each of them. */
export async function digestOf(
  chunks: AsyncIterable<Uint8Array>,
  seen?: (bytes: number) => void | Promise<void>,
): Promise<FileDigest> {
  const hash = createHash('sha256');
  let crc = 0;
  for await (const chunk of chunks) {
    hash.update(chunk);
    crc = crc32c(chunk, crc);
    await seen?.(chunk.length);
  }
  return { sha256: hash.digest('hex'), crc32c: crc };
}

function changed(path: string, what: string): TidemarkError {
  const message = `file ${path} is not the one that was listed: ${what}; make the checkpoint again`;
  return new TidemarkError('failed_precondition', message, { path });
}
