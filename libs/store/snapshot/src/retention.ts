import type { UnreadableSnapshot } from './list-snapshots.ts';
import type { SnapshotManifest } from './snapshot-manifest.ts';
import { offsetDigits } from './snapshot-place.ts';

export interface Retention {
  /** Id of the log. Snapshots of another log go by age alone, when this one has `keep` of its own. */
  readonly logId: string;
  /** Snapshots that stay in any case, the newest ones; at least 1. */
  readonly keep: number;
  /** Younger ones stay too, ms. */
  readonly keepMs: number;
  /** Wall clock, ms since the Unix epoch. */
  readonly nowMs: number;
}

/**
 * Ids of the snapshots that may go: beyond both the count and the age. The snapshots are sorted as `listSnapshots` does it. A
 * damaged manifest does not count, and goes when it is of a lower offset than a readable snapshot that is beyond the count and the
 * age itself. One of a newer format stays.
 */
export function expiredIds(
  snapshots: readonly SnapshotManifest[],
  unreadable: readonly UnreadableSnapshot[],
  { logId, keep, keepMs, nowMs }: Retention,
): string[] {
  const beforeMs = nowMs - keepMs;
  const own = snapshots.filter((one) => one.logId === logId);
  const beyond = own.slice(0, Math.max(0, own.length - keep));
  const foreign = own.length < keep ? [] : snapshots.filter((one) => one.logId !== logId);
  const old = [...beyond, ...foreign].filter(({ createdMs }) => createdMs < beforeMs);
  const lastOld = beyond.filter(({ createdMs }) => createdMs < beforeMs).at(-1);
  const lastDigits = offsetDigits(lastOld?.id ?? '');
  const damaged = unreadable.flatMap(({ id, error }) =>
    id !== undefined && offsetDigits(id) < lastDigits && error.detail.reason !== 'newer' ? [id] : [],
  );
  return [...old.map(({ id }) => id), ...damaged].sort();
}
