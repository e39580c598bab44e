import { tooLarge } from '@tidemark/documents';
import { ifStored, type ListedObject, limitError, TidemarkError } from '@tidemark/ports';
import { parseManifest } from './parse-manifest.ts';
import { isMarked, markedIds } from './removal-marks.ts';
import { MANIFEST_FORM, type SnapshotManifest } from './snapshot-manifest.ts';
import { checkSnapshotId, documentKey, idOfKey, offsetDigits, SNAPSHOT_ID } from './snapshot-place.ts';
import type { SnapshotOptions, SnapshotStore } from './snapshot-store.ts';

/** A manifest that can't be used, and why. */
export interface UnreadableSnapshot {
  readonly key: string;
  /** Undefined where the key is not that of a manifest. */
  readonly id?: string;
  readonly error: TidemarkError;
}

export interface ListedSnapshots {
  /** Sorted by offset, those of one offset by the time at which they were made: the newest is the last. */
  readonly snapshots: readonly SnapshotManifest[];
  /** Manifests that are damaged, foreign or of a newer format. They hide no others. */
  readonly unreadable: readonly UnreadableSnapshot[];
  /** Ids of snapshots that a collection removes: they must not be used any more. They are in no other list. */
  readonly removing: readonly string[];
}

export interface NewestSnapshot {
  /** Undefined where there is none. */
  readonly snapshot?: SnapshotManifest;
  /** Newer ones that were skipped, because they can't be read. */
  readonly skipped: readonly UnreadableSnapshot[];
}

/** Lists the snapshots of a partition, and reads their manifests. Errors: those of the store. */
export async function listSnapshots(store: SnapshotStore, options: SnapshotOptions = {}): Promise<ListedSnapshots> {
  const removing: string[] = [];
  const snapshots: SnapshotManifest[] = [];
  const unreadable: UnreadableSnapshot[] = [];
  const found: ListedObject[] = [];
  for await (const object of store.objectsIn('manifests', options)) found.push(object);
  // After the manifests: a removal that began meanwhile is seen.
  const marked = await markedIds(store, options);
  for (const { key } of found) {
    const read = await readListed(store, key, options);
    if (read === undefined) continue;
    const { id } = read;
    if (id !== undefined && marked.has(id)) removing.push(id);
    else if ('error' in read) unreadable.push(read);
    else snapshots.push(read);
  }
  // The keys are sorted, so those of the same time stay sorted by id.
  snapshots.sort((a, b) => a.offset - b.offset || a.createdMs - b.createdMs);
  return { snapshots, unreadable, removing };
}

/**
 * Finds the snapshot with the highest offset, of several the one that was made last, and says which unreadable ones it skipped.
 * With `logId`, of this log only. Errors: those of the store.
 */
export async function newestSnapshot(
  store: SnapshotStore,
  options: SnapshotOptions & { readonly logId?: string } = {},
): Promise<NewestSnapshot> {
  const found: ListedObject[] = [];
  for await (const object of store.objectsIn('manifests', options)) found.push(object);
  const skipped: UnreadableSnapshot[] = [];
  let newest: SnapshotManifest | undefined;
  for (const { key } of found.reverse()) {
    // Behind the offset, ids are random: which of them was made last, only their manifests say.
    if (newest !== undefined && offsetDigits(idOfKey(key, SNAPSHOT_ID) ?? '') !== offsetDigits(newest.id)) break;
    const read = await readListed(store, key, options);
    if (read === undefined || (read.id !== undefined && (await isMarked(store, read.id, options)))) continue;
    if ('error' in read) skipped.push(read);
    else if (options.logId === undefined || read.logId === options.logId) {
      if (newest === undefined || read.createdMs > newest.createdMs) newest = read;
    }
  }
  return { snapshot: newest, skipped };
}

/**
 * Reads the manifest of a snapshot. Errors: `not_found`; `invalid_argument` for a text that is not an id; those of
 * `parseManifest` and of the store.
 */
export async function readManifest(
  store: SnapshotStore,
  id: string,
  options: SnapshotOptions = {},
): Promise<SnapshotManifest> {
  checkSnapshotId(id);
  const key = documentKey(store.place, 'manifests', id);
  const { sizeBytes } = await store.objects.head(key, options);
  if (sizeBytes > MANIFEST_FORM.bytes) throw tooLarge(key, sizeBytes, MANIFEST_FORM);
  const { bytes } = await store.objects.get(key, options);
  return parseManifest(bytes, key, store.place, id);
}

/** Reasons of `failed_precondition` that are of the manifest; the store has others, such as a bucket that does not exist. */
const REASONS: ReadonlySet<unknown> = new Set(['newer', 'foreign']);

/** Reads a manifest by its key; undefined where it does not exist. Errors: those of the store. */
export async function readListed(
  store: SnapshotStore,
  key: string,
  options: SnapshotOptions,
): Promise<SnapshotManifest | UnreadableSnapshot | undefined> {
  const id = idOfKey(key, SNAPSHOT_ID);
  if (id === undefined) {
    return { key, error: limitError('key of a manifest', key, '16 digits, "-", 16 hexadecimal digits, ".json"') };
  }
  try {
    return await ifStored(readManifest(store, id, options));
  } catch (error) {
    if (!isOfManifest(error)) throw error;
    return { key, id, error };
  }
}

/** True for an error that says that a manifest can't be used. */
export function isOfManifest(error: unknown): error is TidemarkError {
  return error instanceof TidemarkError && (error.code === 'data_loss' || REASONS.has(error.detail.reason));
}
