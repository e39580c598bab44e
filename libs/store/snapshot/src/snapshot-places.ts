import type { ObjectStore } from '@tidemark/ports';
import { SNAPSHOT_KINDS, type SnapshotPlace } from './snapshot-place.ts';
import type { SnapshotOptions } from './snapshot-store.ts';

/** Prefix of the keys of all snapshots. */
export const SNAPSHOTS_PREFIX = 'snapshots/';
const PLACE_KEY = /^snapshots\/(?<kind>[a-z]+)-(?<partition>\d{1,6})\//;
/** After all keys of a place, which have no character above it. */
const LAST = '~';

/**
 * The partitions of which an object store has snapshots, or what is left of some, sorted. It takes one list of one object for each.
 * Errors: those of the store.
 */
export async function snapshotPlaces(objects: ObjectStore, { signal }: SnapshotOptions = {}): Promise<SnapshotPlace[]> {
  const places: SnapshotPlace[] = [];
  let startAfter: string | undefined = SNAPSHOTS_PREFIX;
  while (startAfter !== undefined) {
    const page = await objects.list(SNAPSHOTS_PREFIX, { startAfter, limit: 1, ...(signal && { signal }) });
    const [first] = page.objects;
    if (first === undefined) {
      // A page before the end may be empty.
      startAfter = page.next;
      continue;
    }
    const { kind, partition } = PLACE_KEY.exec(first.key)?.groups ?? {};
    const known = SNAPSHOT_KINDS.find((one) => one === kind);
    if (known !== undefined) places.push({ kind: known, partition: Number(partition) });
    const folder = first.key.split('/', 2).join('/');
    startAfter = page.next === undefined ? undefined : `${folder}/${LAST}`;
  }
  return places.sort((a, b) => a.partition - b.partition || (a.kind < b.kind ? -1 : 1));
}
