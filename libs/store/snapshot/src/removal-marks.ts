import { ifStored, isTidemarkError } from '@tidemark/ports';
import { documentKey, idOfKey, newRandomId, removalsKey, SNAPSHOT_ID } from './snapshot-place.ts';
import type { SnapshotOptions, SnapshotStore } from './snapshot-store.ts';

/** Ids of the snapshots that are being removed, or were. */
export async function markedIds(store: SnapshotStore, options: SnapshotOptions): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { key } of store.objectsIn('removed', options)) {
    const id = idOfKey(key, SNAPSHOT_ID);
    if (id !== undefined) ids.add(id);
  }
  return ids;
}

export async function isMarked(store: SnapshotStore, id: string, options: SnapshotOptions): Promise<boolean> {
  const key = documentKey(store.place, 'removed', id);
  return (await ifStored(store.objects.head(key, options))) !== undefined;
}

/**
 * Marks a snapshot as one that must not be used any more. A mark stays until the manifest is gone, and is not replaced: a list
 * could then miss it.
 */
export async function markRemoved(store: SnapshotStore, id: string, { signal }: SnapshotOptions): Promise<void> {
  const mark = { format: 1, id, by: store.user, atMs: store.clock.wallMs() };
  try {
    await store.objects.put(documentKey(store.place, 'removed', id), jsonBytes(mark), { ifAbsent: true, signal });
  } catch (error) {
    if (!isTidemarkError(error, 'already_exists')) throw error;
  }
}

export async function deleteMarks(
  store: SnapshotStore,
  ids: readonly string[],
  options: SnapshotOptions,
): Promise<void> {
  if (ids.length > 0)
    await store.objects.delete(
      ids.map((id) => documentKey(store.place, 'removed', id)),
      options,
    );
}

/**
 * Changes the version of the object that all deletions of manifests are announced by. Call it after the marks, and before the
 * deletion.
 */
export async function announceRemovals(store: SnapshotStore, options: SnapshotOptions): Promise<void> {
  const content = { format: 1, random: newRandomId(store.random), by: store.user, atMs: store.clock.wallMs() };
  await store.objects.put(removalsKey(store.place), jsonBytes(content), options);
}

/** The version that the last announcement made; undefined where there was none. */
export async function removalsVersion(store: SnapshotStore, options: SnapshotOptions): Promise<string | undefined> {
  return (await ifStored(store.objects.head(removalsKey(store.place), options)))?.version;
}

export function jsonBytes(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
