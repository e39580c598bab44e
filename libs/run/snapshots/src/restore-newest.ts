import { carriedError, isTidemarkError } from '@tidemark/ports';
import { type FolderPlace, listSnapshots, restoreSnapshot, type SnapshotStore } from '@tidemark/snapshot';
import type { PassedOver, RestoreOutcome, RestoreRequest } from '@tidemark/store-workers';

/** How far clocks of processes may differ. */
const CLOCKS_MS = 60_000;
/** Snapshots that were tried in vain, and that a text names. */
const NAMED = 3;

/**
 * Restores the newest whole snapshot from which the log continues: it is of the same log, which begins at its offset or before
 * and ends there or after, and of a format that this program reads. One that is damaged or being removed is passed over; other
 * errors of a restore are its outcome. Errors: those of the list, unexpected ones, and the reason of `signal`.
 */
export async function restoreNewest(
  store: SnapshotStore,
  request: Omit<RestoreRequest, 'kind' | 'partition' | 'to' | 'logId'> & {
    /** Undefined: of any log. */
    readonly logId: string | undefined;
  },
  to: FolderPlace,
  signal: AbortSignal,
): Promise<RestoreOutcome> {
  const { logId, fromOffset, toOffset, askedMs, format, without } = request;
  const { snapshots, unreadable } = await listSnapshots(store, { signal });
  const failed = unreadable.map(({ error }) => error.message);
  // A newer program reads it.
  let mayHelp = unreadable.some(({ error }) => error.detail.reason === 'newer');
  const passedOver = new Map(without.map((one) => [one.id, one]));
  const damaged: PassedOver[] = [];
  for (const snapshot of snapshots.toReversed()) {
    const { id, offset, createdMs, storeFormat } = snapshot;
    const known = passedOver.get(id);
    const pass = (why: string): void => {
      damaged.push({ id, why, mayHelp: false });
      failed.push(`${id} ${why}`);
    };
    if (logId !== undefined && snapshot.logId !== logId) {
      failed.push(`${id} is of the log ${snapshot.logId}, expected ${logId}`);
    } else if (offset < fromOffset) {
      failed.push(`${id} ends at offset ${offset}, and the log begins at ${fromOffset}`);
    } else if (known !== undefined) {
      mayHelp ||= known.mayHelp;
      failed.push(`${id} ${known.why}`);
    } else if (offset > toOffset && createdMs > askedMs - CLOCKS_MS) {
      // Made since then, by a replica: the next attempt takes it.
      mayHelp = true;
      failed.push(`${id} is newer than what is known of the log`);
    } else if (offset > toOffset) {
      // When the log has grown past it, its records are other ones.
      pass(`ends at offset ${offset}, and the log at ${toOffset}`);
    } else if (storeFormat !== format) {
      mayHelp = true;
      failed.push(`${id} has the format ${storeFormat}, and this program reads ${format}`);
    } else {
      try {
        await restoreSnapshot(store, id, to, { signal });
        return { state: 'restored', snapshot: { id, offset, createdMs }, damaged };
      } catch (error) {
        if (isTidemarkError(error, 'data_loss')) pass(`is damaged: ${error.message}`);
        else if (isTidemarkError(error, 'not_found')) failed.push(`${id}: ${error.message}`);
        else if (signal.aborted || !isTidemarkError(error)) throw error;
        else return { state: 'failed', error: carriedError(error), damaged };
      }
    }
  }
  return { state: 'none', found: foundText(failed), mayHelp, damaged };
}

function foundText(failed: readonly string[]): string {
  if (failed.length === 0) return 'there is none';
  const more = failed.length > NAMED ? `, and ${failed.length - NAMED} more` : '';
  return failed.slice(0, NAMED).join('; ') + more;
}
