import { limitError, PAGE_KEYS } from '@tidemark/ports';
import { listSnapshots } from './list-snapshots.ts';
import { findUnusedFiles } from './live-files.ts';
import { readPins } from './pin.ts';
import { announceRemovals, deleteMarks, markedIds, markRemoved } from './removal-marks.ts';
import { expiredIds, type Retention } from './retention.ts';
import { documentKey } from './snapshot-place.ts';
import type { SnapshotOptions, SnapshotStore } from './snapshot-store.ts';

export type CollectOptions = Retention & SnapshotOptions;

export interface CollectedSnapshots {
  /** Ids of the snapshots whose manifests were deleted. */
  readonly removed: readonly string[];
  /** Ids of the snapshots that are marked as removed, and stay while they are in use. */
  readonly pinned: readonly string[];
  readonly deletedFiles: number;
  readonly deletedBytes: number;
  /**
   * Manifests and pins that can't be read. While they exist no file is deleted, because it is not known which ones they
   * need.
   */
  readonly blockedBy: readonly { readonly key: string; readonly error: Error }[];
  /** True when other collections were removing snapshots at the same time, so that files were left to them. */
  readonly isInterrupted: boolean;
}

/**
 * Removes snapshots beyond count and age, and files that no snapshot has. The newest readable one stays. It continues what an
 * ended collection has begun, and several may run at the same time. Errors: `invalid_argument` for a limit; those of the store.
 */
export async function collectSnapshots(store: SnapshotStore, options: CollectOptions): Promise<CollectedSnapshots> {
  checkRetention(options);
  const { nowMs, signal } = options;
  const { removed, pinned, blockedBy } = await removeManifests(store, options, { signal });
  const unused = await findUnusedFiles(store, nowMs, { signal });
  if (unused === undefined) {
    return { removed, pinned, deletedFiles: 0, deletedBytes: 0, blockedBy, isInterrupted: true };
  }
  const { files, doneMarks } = unused;
  for (let at = 0; at < files.length; at += PAGE_KEYS) {
    const keys = files.slice(at, at + PAGE_KEYS).map(({ key }) => key);
    await store.objects.delete(keys, { signal });
  }
  await deleteMarks(store, doneMarks, { signal });
  const deletedBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const blocking = new Map([...blockedBy, ...unused.blockedBy].map((one) => [one.key, one]));
  return {
    removed,
    pinned,
    deletedFiles: files.length,
    deletedBytes,
    blockedBy: [...blocking.values()],
    isInterrupted: false,
  };
}

type RemovedManifests = Pick<CollectedSnapshots, 'removed' | 'pinned' | 'blockedBy'>;

/** Marks expired snapshots, and deletes the manifests of all marked ones that no pin names. */
async function removeManifests(
  store: SnapshotStore,
  retention: Retention,
  options: SnapshotOptions,
): Promise<RemovedManifests> {
  const { snapshots, unreadable } = await listSnapshots(store, options);
  for (const id of expiredIds(snapshots, unreadable, retention)) await markRemoved(store, id, options);
  const marked = [...(await markedIds(store, options))].sort();
  if (marked.length === 0) return { removed: [], pinned: [], blockedBy: [] };
  // Another collection may have marked it, and not have announced that yet.
  await announceRemovals(store, options);
  const pins = await readPins(store, retention.nowMs, options);
  if (pins.unreadable.length > 0) return { removed: [], pinned: marked, blockedBy: pins.unreadable };
  const named = new Set(pins.held.map(({ snapshot }) => snapshot));
  const removed = marked.filter((id) => !named.has(id));
  const keys = removed.map((id) => documentKey(store.place, 'manifests', id));
  for (let at = 0; at < keys.length; at += PAGE_KEYS) {
    await store.objects.delete(keys.slice(at, at + PAGE_KEYS), options);
  }
  return { removed, pinned: marked.filter((id) => named.has(id)), blockedBy: [] };
}

function checkRetention({ keep, keepMs, nowMs }: Retention): void {
  if (!Number.isSafeInteger(keep) || keep < 1) throw limitError('keep', String(keep), 'a whole number of at least 1');
  if (!Number.isFinite(keepMs) || keepMs < 0) throw limitError('keepMs', String(keepMs), 'at least 0');
  if (!Number.isFinite(nowMs)) throw limitError('nowMs', String(nowMs), 'a time in ms');
}
