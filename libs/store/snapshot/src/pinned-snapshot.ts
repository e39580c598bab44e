import { ifStored, isTidemarkError, TidemarkError } from '@tidemark/ports';
import { isOfManifest, readManifest } from './list-snapshots.ts';
import { type HeldPin, Pin } from './pin.ts';
import { isMarked } from './removal-marks.ts';
import type { SnapshotManifest } from './snapshot-manifest.ts';
import { checkSnapshotId, documentKey, idOfKey, SNAPSHOT_ID } from './snapshot-place.ts';
import type { SnapshotOptions, SnapshotStore } from './snapshot-store.ts';

/** Snapshots that an upload tries to reuse files of, before it uploads all. */
const BASES_TRIED = 4;

/** A pin, and the manifest of the snapshot that it protects. */
export interface PinnedSnapshot<P extends HeldPin = Pin> {
  readonly pin: P;
  readonly manifest: SnapshotManifest;
}

/**
 * Pins a snapshot: until the pin is released its files stay. Errors: `not_found` where it does not exist, or is being removed;
 * those of `readManifest`.
 */
export async function pinSnapshot(
  store: SnapshotStore,
  id: string,
  options: SnapshotOptions = {},
): Promise<PinnedSnapshot> {
  checkSnapshotId(id);
  const pin = await Pin.put(store, id, options);
  try {
    // In this order: a removal either saw the pin, or left the mark, or has deleted the manifest with its mark.
    if (await isMarked(store, id, options)) throw removed(store, id);
    return { pin, manifest: await readManifest(store, id, options) };
  } catch (error) {
    await pin.release();
    throw error;
  }
}

/** As `pinSnapshot`, for a reader: without the right to write, it reads without a pin. */
export async function pinForReader(
  store: SnapshotStore,
  id: string,
  options: SnapshotOptions = {},
): Promise<PinnedSnapshot<HeldPin>> {
  try {
    return await pinSnapshot(store, id, options);
  } catch (error) {
    if (!isTidemarkError(error, 'permission_denied')) throw error;
  }
  const pin = withoutPin(store, id);
  await pin.check(options);
  return { pin, manifest: await readManifest(store, id, options) };
}

/**
 * For a reader that may not write, such as of a copy that is mounted read-only. A collection by others may delete what it reads: then
 * the check throws `not_found`, and the reader takes another snapshot.
 */
function withoutPin(store: SnapshotStore, id: string): HeldPin {
  return {
    keep: async () => undefined,
    async check(options) {
      const manifest = documentKey(store.place, 'manifests', id);
      const isThere = (await ifStored(store.objects.head(manifest, options))) !== undefined;
      if (!isThere || (await isMarked(store, id, options))) throw removed(store, id);
    },
    release: async () => undefined,
  };
}

/** Pins the snapshot `preferred`, or else the newest one that can be read; without one, pins an upload alone. */
export async function pinBase(
  store: SnapshotStore,
  preferred: string | undefined,
  options: SnapshotOptions,
): Promise<{ pin: Pin; manifest?: SnapshotManifest }> {
  const ids: string[] = [];
  for await (const { key } of store.objectsIn('manifests', options)) {
    const id = idOfKey(key, SNAPSHOT_ID);
    if (id !== undefined) ids.push(id);
  }
  const newest = ids.slice(-BASES_TRIED).reverse();
  const tried = preferred !== undefined && ids.includes(preferred) ? [preferred, ...newest] : newest;
  for (const id of tried) {
    try {
      return await pinSnapshot(store, id, options);
    } catch (error) {
      if (!isTidemarkError(error, 'not_found') && !isOfManifest(error)) throw error;
    }
  }
  return { pin: await Pin.put(store, undefined, options) };
}

/**
 * Runs a task that reads objects of a pinned snapshot. Where an object lacks because the pin was revoked, throws that it was,
 * as `aborted`.
 */
export async function whilePinned<T>(
  { pin }: PinnedSnapshot<HeldPin>,
  task: () => Promise<T>,
  options: SnapshotOptions,
): Promise<T> {
  try {
    return await task();
  } catch (error) {
    if (isTidemarkError(error, 'data_loss')) await pin.check(options);
    throw error;
  } finally {
    await pin.release();
  }
}

function removed(store: SnapshotStore, id: string): TidemarkError {
  const key = documentKey(store.place, 'manifests', id);
  return new TidemarkError('not_found', `snapshot ${id} is being removed; use a newer one`, { key });
}
