import { ifStored, inParallel, isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { ReportProgress } from './create-snapshot.ts';
import { digestOf } from './file-digest.ts';
import { objectChunks } from './object-chunks.ts';
import { pinForReader, whilePinned } from './pinned-snapshot.ts';
import type { SnapshotFile, SnapshotManifest } from './snapshot-manifest.ts';
import { fileKey } from './snapshot-place.ts';
import type { SnapshotOptions, SnapshotStore } from './snapshot-store.ts';

/** Files that are read at the same time; each has one range in memory. */
const READS_AT_ONCE = 4;

export interface VerifyOptions extends SnapshotOptions {
  readonly onProgress?: ReportProgress;
}

/** A file of a snapshot that can't be restored. */
export interface WrongFile {
  readonly file: SnapshotFile;
  /** `data_loss`, with the key of the object. */
  readonly error: TidemarkError;
}

export interface VerifiedSnapshot {
  readonly manifest: SnapshotManifest;
  /** All that is wrong, by name; empty when the snapshot can be restored. */
  readonly wrong: readonly WrongFile[];
}

/**
 * Reads all files of a snapshot, and compares their sizes and SHA-256. Errors: as `restoreSnapshot`, except what is wrong with
 * files and what the disk throws.
 */
export async function verifySnapshot(
  store: SnapshotStore,
  id: string,
  { signal, onProgress }: VerifyOptions = {},
): Promise<VerifiedSnapshot> {
  const pinned = await pinForReader(store, id, { signal });
  const { pin, manifest } = pinned;
  const totalBytes = manifest.files.reduce((sum, { bytes }) => sum + bytes, 0);
  let doneBytes = 0;
  const wrong: WrongFile[] = [];
  const one = async (file: SnapshotFile, stop: AbortSignal): Promise<void> => {
    const error = await problemOf(store, file, stop, async (bytes) => {
      doneBytes += bytes;
      onProgress?.(doneBytes, totalBytes);
      await pin.keep({ signal: stop });
    });
    if (error !== undefined) wrong.push({ file, error });
  };
  const verify = async (): Promise<VerifiedSnapshot> => {
    await inParallel(manifest.files, READS_AT_ONCE, one, signal);
    if (wrong.length > 0) await pin.check({ signal });
    return { manifest, wrong: wrong.sort((a, b) => (a.file.name < b.file.name ? -1 : 1)) };
  };
  return whilePinned(pinned, verify, { signal });
}

async function problemOf(
  store: SnapshotStore,
  file: SnapshotFile,
  signal: AbortSignal,
  read: (bytes: number) => Promise<void>,
): Promise<TidemarkError | undefined> {
  const { name, bytes, sha256 } = file;
  const key = fileKey(store.place, file);
  const wrong = (what: string, cause?: unknown) =>
    new TidemarkError('data_loss', `object ${key} of ${name}: ${what}`, { key, file: name }, { cause });
  try {
    const info = await ifStored(store.objects.head(key, { signal }));
    if (info === undefined) return wrong('it does not exist');
    if (info.sizeBytes !== bytes) return wrong(`${info.sizeBytes} bytes, expected ${bytes}`);
    const found = await digestOf(objectChunks(store.objects, key, bytes, signal), read);
    return found.sha256 === sha256 ? undefined : wrong(`SHA-256 ${found.sha256}, expected ${sha256}`);
  } catch (error) {
    // Damage that the object store finds by itself, and an object that was deleted or cut meanwhile.
    const codes = ['data_loss', 'not_found', 'out_of_range'] as const;
    if (codes.some((code) => isTidemarkError(error, code))) return wrong((error as TidemarkError).message, error);
    throw error;
  }
}
