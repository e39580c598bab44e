import { type Disk, type DiskFile, inParallel, isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { ReportProgress } from './create-snapshot.ts';
import { digestOf, fileChunks } from './file-digest.ts';
import { objectChunks } from './object-chunks.ts';
import type { HeldPin } from './pin.ts';
import { pinForReader, whilePinned } from './pinned-snapshot.ts';
import type { SnapshotFile, SnapshotManifest } from './snapshot-manifest.ts';
import { fileKey } from './snapshot-place.ts';
import type { SnapshotOptions, SnapshotStore } from './snapshot-store.ts';

/** Files that are downloaded at the same time; each has one range in memory. */
const DOWNLOADS_AT_ONCE = 4;
/** End of the name of the folder into which files are downloaded. */
export const RESTORING = '.restoring';

export interface RestoreOptions extends SnapshotOptions {
  readonly onProgress?: ReportProgress;
}

/** A folder of a disk. */
export interface FolderPlace {
  readonly disk: Disk;
  readonly folder: string;
}

/**
 * Restores the snapshot `id` into a folder, which must be empty or not exist. Files are downloaded into a folder next to it, whose
 * name ends with `.restoring`, and that is renamed at the end: so a crash leaves no folder, or the whole one. Whole files of an
 * interrupted restore are kept. Only one restore at a time may use a folder. Returns the manifest.
 *
 * Errors: `failed_precondition` where the folder is not empty; `not_found` where the snapshot does not exist or is being
 * removed; `data_loss`, with the key, where an object lacks or has other bytes; `aborted` where the pin was revoked, because
 * the restore had stopped for a day; those of the store and the disk.
 */
export async function restoreSnapshot(
  store: SnapshotStore,
  id: string,
  { disk, folder }: FolderPlace,
  options: RestoreOptions = {},
): Promise<SnapshotManifest> {
  const { signal } = options;
  await checkEmpty(disk, folder);
  const pinned = await pinForReader(store, id, { signal });
  const { pin, manifest } = pinned;
  const restore = async (): Promise<SnapshotManifest> => {
    const restoring = folder + RESTORING;
    await removeOthers(disk, restoring, manifest);
    await download(store, manifest, { disk, folder: restoring }, pin, options);
    signal?.throwIfAborted();
    await checkEmpty(disk, folder);
    await disk.rename(restoring, folder);
    return manifest;
  };
  return whilePinned(pinned, restore, { signal });
}

async function checkEmpty(disk: Disk, folder: string): Promise<void> {
  const names = await disk.list(folder);
  if (names.length === 0) return;
  const message = `the folder ${folder} has ${names.length} entries, such as ${names[0]}: restore into an empty one`;
  throw new TidemarkError('failed_precondition', message, { folder });
}

/** Removes what is not a file of this snapshot, such as files of another snapshot's restore. */
async function removeOthers(disk: Disk, folder: string, { files }: SnapshotManifest): Promise<void> {
  const names = new Set(files.map(({ name }) => name));
  for (const name of await disk.list(folder)) if (!names.has(name)) await disk.remove(`${folder}/${name}`);
}

async function download(
  store: SnapshotStore,
  { files }: SnapshotManifest,
  { disk, folder }: FolderPlace,
  pin: HeldPin,
  { signal, onProgress }: RestoreOptions,
): Promise<void> {
  const present = new Set(await disk.list(folder));
  const totalBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let doneBytes = 0;
  const done = (bytes: number): void => {
    doneBytes += bytes;
    onProgress?.(doneBytes, totalBytes);
  };
  const one = async (file: SnapshotFile, stop: AbortSignal): Promise<void> => {
    await pin.keep({ signal: stop });
    const path = `${folder}/${file.name}`;
    if (present.has(file.name) && (await isWhole(disk, path, file, stop))) return done(file.bytes);
    const target = await disk.open(path, { create: true });
    try {
      await target.truncate(0);
      await writeObject(store, file, target, stop, async (bytes) => {
        done(bytes);
        await pin.keep({ signal: stop });
      });
      await target.sync();
    } finally {
      await target.close();
    }
  };
  await inParallel(files, DOWNLOADS_AT_ONCE, one, signal);
}

/** True for a file that has its content. It is synced: an interrupted restore may have not. */
async function isWhole(disk: Disk, path: string, file: SnapshotFile, signal: AbortSignal): Promise<boolean> {
  try {
    const { sha256 } = await digestOf(fileChunks(disk, path, file.bytes, signal));
    if (sha256 !== file.sha256) return false;
  } catch (error) {
    // Of another size.
    if (isTidemarkError(error, 'failed_precondition')) return false;
    throw error;
  }
  const opened = await disk.open(path);
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
  return true;
}

async function writeObject(
  store: SnapshotStore,
  file: SnapshotFile,
  target: DiskFile,
  signal: AbortSignal,
  written: (bytes: number) => Promise<void>,
): Promise<void> {
  const key = fileKey(store.place, file);
  let at = 0;
  const chunks = objectChunks(store.objects, key, file.bytes, signal);
  async function* writtenChunks(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      await target.write(chunk, at);
      at += chunk.length;
      yield chunk;
    }
  }
  const { sha256 } = await digestOf(writtenChunks(), written).catch((error: unknown) => {
    throw lackingObject(error, key, file);
  });
  if (sha256 === file.sha256) return;
  const message = `object ${key}: SHA-256 ${sha256}, expected ${file.sha256} of ${file.name}; use another snapshot`;
  throw new TidemarkError('data_loss', message, { key, file: file.name });
}

/** An object that is not there, or too short, is damage of the snapshot. */
function lackingObject(error: unknown, key: string, { name, bytes }: SnapshotFile): unknown {
  if (!isTidemarkError(error, 'not_found') && !isTidemarkError(error, 'out_of_range')) return error;
  const message = `object ${key}, ${bytes} bytes of ${name}: ${error.message}; use another snapshot`;
  return new TidemarkError('data_loss', message, { key, file: name }, { cause: error });
}
