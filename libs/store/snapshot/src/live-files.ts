import type { ListedObject } from '@tidemark/ports';
import { readListed, type UnreadableSnapshot } from './list-snapshots.ts';
import { type FoundPins, readPins } from './pin.ts';
import { markedIds, removalsVersion } from './removal-marks.ts';
import type { SnapshotManifest } from './snapshot-manifest.ts';
import { documentKey, fileKey, uploadOfKey } from './snapshot-place.ts';
import type { SnapshotOptions, SnapshotStore } from './snapshot-store.ts';

/** Attempts to read all manifests while no other collection begins to delete one. */
const READS = 3;

/** What protects files. */
interface Protection {
  /** Keys of files that manifests name. */
  readonly named: ReadonlySet<string>;
  readonly pins: FoundPins;
  readonly unreadable: readonly UnreadableSnapshot[];
  /** Marks whose manifest is gone. */
  readonly doneMarks: readonly string[];
}

export interface UnusedFiles {
  /** Objects that nothing uses, and nothing will. */
  readonly files: readonly ListedObject[];
  readonly doneMarks: readonly string[];
  /** What is protected, but not known: then `files` is empty. */
  readonly blockedBy: readonly { readonly key: string; readonly error: Error }[];
}

/**
 * Finds the files that no manifest names and no upload in progress has put. Decision 0027 says why each step is where it is.
 * Undefined where other collections deleted manifests all the time.
 */
export async function findUnusedFiles(
  store: SnapshotStore,
  nowMs: number,
  options: SnapshotOptions,
): Promise<UnusedFiles | undefined> {
  // Before the pins: the upload of each of these files has put its pin before.
  const files: ListedObject[] = [];
  for await (const object of store.objectsIn('files', options)) files.push(object);
  for (let read = 0; read < READS; read++) {
    const protection = await readProtection(store, nowMs, options);
    if (protection === undefined) continue;
    const { named, pins, unreadable, doneMarks } = protection;
    const blockedBy = [...unreadable, ...pins.unreadable];
    if (blockedBy.length > 0) return { files: [], doneMarks, blockedBy };
    const uploads = new Set(pins.held.map(({ id }) => id));
    const unused = files.filter(({ key }) => {
      const upload = uploadOfKey(key);
      return upload !== undefined && !uploads.has(upload) && !named.has(key);
    });
    return { files: unused, doneMarks, blockedBy };
  }
  return undefined;
}

/** Undefined where another collection announced deletions of manifests meanwhile. */
async function readProtection(
  store: SnapshotStore,
  nowMs: number,
  options: SnapshotOptions,
): Promise<Protection | undefined> {
  const version = await removalsVersion(store, options);
  const named = new Set<string>();
  const unreadable = new Map<string, UnreadableSnapshot>();
  const add = (read: SnapshotManifest | UnreadableSnapshot): void => {
    if ('error' in read) unreadable.set(read.key, read);
    else for (const file of read.files) named.add(fileKey(store.place, file));
  };
  // A marked manifest may be deleted while the others are listed.
  const doneMarks: string[] = [];
  for (const id of await markedIds(store, options)) {
    const read = await readListed(store, documentKey(store.place, 'manifests', id), options);
    if (read === undefined) doneMarks.push(id);
    else add(read);
  }
  const pins = await readPins(store, nowMs, options);
  for await (const { key } of store.objectsIn('manifests', options)) {
    const read = await readListed(store, key, options);
    if (read !== undefined) add(read);
  }
  if ((await removalsVersion(store, options)) !== version) return undefined;
  return { named, pins, unreadable: [...unreadable.values()], doneMarks };
}
