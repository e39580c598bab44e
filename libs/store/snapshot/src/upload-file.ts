import { type Disk, TidemarkError } from '@tidemark/ports';
import { digestOf, type FileDigest, fileChunks } from './file-digest.ts';
import { objectChunks } from './object-chunks.ts';
import { retried } from './retry.ts';
import type { SnapshotStore } from './snapshot-store.ts';

export interface FileUpload {
  readonly disk: Disk;
  readonly path: string;
  readonly bytes: number;
  readonly digest: FileDigest;
  /** Of the object. No other upload has it. */
  readonly key: string;
  readonly signal: AbortSignal;
  /** Called before each chunk that is sent. */
  readonly sending: () => Promise<void>;
  /** Called after each chunk that was read back. */
  readonly verified: (bytes: number) => Promise<void>;
}

/**
 * Puts a file as an object, and reads it back. Errors: `failed_precondition` or `invalid_argument` where the file has changed;
 * `data_loss` where the object has other bytes; those of the store and of the disk.
 */
export async function uploadFile(store: SnapshotStore, upload: FileUpload): Promise<void> {
  const { digest, key, bytes, signal } = upload;
  const once = () => store.objects.putStream(key, sentChunks(upload), { crc32c: digest.crc32c, signal });
  await retried(store, once, signal);
  const { sizeBytes } = await store.objects.head(key, { signal });
  if (sizeBytes !== bytes) throw differs(key, `${sizeBytes} bytes (written: ${bytes})`);
  const found = await digestOf(objectChunks(store.objects, key, bytes, signal), upload.verified);
  if (found.sha256 !== digest.sha256) throw differs(key, `SHA-256 ${found.sha256} (written: ${digest.sha256})`);
}

async function* sentChunks({ disk, path, bytes, signal, sending }: FileUpload): AsyncGenerator<Uint8Array> {
  for await (const chunk of fileChunks(disk, path, bytes, signal)) {
    await sending();
    yield chunk;
  }
}

function differs(key: string, what: string): TidemarkError {
  const message = `object ${key} was read back with ${what}; check the object store`;
  return new TidemarkError('data_loss', message, { key });
}
