import { isTidemarkError } from '@tidemark/ports';
import { type FolderPlace, listSnapshots, restoreSnapshot, type SnapshotStore } from '@tidemark/snapshot';
import type { RestoreOutcome, RestoreRequest } from '@tidemark/store-workers';

/** Snapshots that were tried in vain, and that a text names. */
const NAMED = 3;

/**
 * Restores the newest whole snapshot from which the log continues: it is of the same log, which begins at its offset or before.
 * One that is damaged or being removed is passed over. Errors: those of `restoreSnapshot` otherwise.
 */
export async function restoreNewest(
  store: SnapshotStore,
  { logId = '', fromOffset }: Pick<RestoreRequest, 'logId' | 'fromOffset'>,
  to: FolderPlace,
  signal: AbortSignal,
): Promise<RestoreOutcome> {
  const { snapshots, unreadable } = await listSnapshots(store, { signal });
  const failed = unreadable.map(({ error }) => error.message);
  for (const snapshot of snapshots.toReversed()) {
    const { id, offset, createdMs } = snapshot;
    if (snapshot.logId !== logId) {
      failed.push(`${id} is of the log ${snapshot.logId}, expected ${logId}`);
    } else if (offset < fromOffset) {
      failed.push(`${id} ends at offset ${offset}, and the log begins at ${fromOffset}`);
    } else {
      try {
        await restoreSnapshot(store, id, to, { signal });
        return { state: 'restored', snapshot: { id, offset, createdMs } };
      } catch (error) {
        if (!isTidemarkError(error, 'data_loss') && !isTidemarkError(error, 'not_found')) throw error;
        failed.push(`${id}: ${error.message}`);
      }
    }
  }
  return { state: 'none', found: foundText(failed) };
}

function foundText(failed: readonly string[]): string {
  if (failed.length === 0) return 'there is none';
  const more = failed.length > NAMED ? `, and ${failed.length - NAMED} more` : '';
  return failed.slice(0, NAMED).join('; ') + more;
}
