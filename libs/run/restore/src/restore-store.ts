import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import {
  type FolderPlace,
  listSnapshots,
  type ReportProgress,
  restoreSnapshot,
  type SnapshotManifest,
  type SnapshotStore,
} from '@tidemark/snapshot';
import { databaseFormat } from '@tidemark/store-workers';

/** Snapshots that were passed over, and that a text names. */
const NAMED = 3;

export interface StoreRestore {
  /** Id of the log that the store has read. */
  readonly logId: string;
  /** Opens the database, or makes it, and returns the offset up to which it has the log. Throws `data_loss` where it can't. */
  readonly offsetOf: () => Promise<number>;
  /** Begins the store empty where no snapshot can be used. */
  readonly acceptLoss: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ReportProgress | undefined;
}

/** What a store got. */
export interface StoreOutcome {
  /** Undefined for a store that begins empty. */
  readonly snapshot: SnapshotManifest | undefined;
  /** The store has the log up to it. */
  readonly offset: number;
  /** Why newer snapshots were passed over. */
  readonly passed: readonly string[];
}

/**
 * Restores the newest usable snapshot of a store into a folder. Errors: `failed_precondition` where none can be used: each store has
 * one after the first round; those of the object store and the disk.
 */
export async function restoreStore(
  store: SnapshotStore,
  to: FolderPlace,
  { logId, offsetOf, acceptLoss, signal, onProgress }: StoreRestore,
): Promise<StoreOutcome> {
  const { kind, partition } = store.place;
  const { snapshots, unreadable } = await listSnapshots(store, { signal });
  const passed = unreadable.toReversed().map(({ error }) => error.message);
  const format = databaseFormat(kind);
  for (const snapshot of snapshots.toReversed()) {
    const { id, storeFormat } = snapshot;
    if (snapshot.logId !== logId) continue;
    if (storeFormat !== format) {
      passed.push(`${id} has the format ${storeFormat}, and this program reads ${format}`);
      continue;
    }
    try {
      await restoreSnapshot(store, id, to, { signal, ...(onProgress && { onProgress }) });
      return { snapshot, offset: await offsetOf(), passed };
    } catch (error) {
      if (!isTidemarkError(error, 'data_loss') && !isTidemarkError(error, 'not_found')) throw error;
      passed.push(`${id}: ${error.message}`);
      await to.disk.remove(to.folder);
    }
  }
  if (!acceptLoss) {
    const more = passed.length > NAMED ? `, and ${passed.length - NAMED} more` : '';
    const why =
      passed.length > 0 ? ` can be used: ${passed.slice(0, NAMED).join('; ')}${more}` : ' is in the object store';
    const next =
      'Bring it back from a copy of the object store, and run this again; or begin that store empty with --accept-loss';
    throw new TidemarkError('failed_precondition', `no snapshot of ${kind}/${partition}${why}. ${next}`, {
      kind,
      partition,
    });
  }
  return { snapshot: undefined, offset: await offsetOf(), passed };
}
