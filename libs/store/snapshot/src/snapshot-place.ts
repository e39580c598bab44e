import { toHex } from '@tidemark/bytes';
import { limitError, type Random } from '@tidemark/ports';

export const SNAPSHOT_KINDS = ['points', 'tags', 'aggregator'] as const;
export type SnapshotKind = (typeof SNAPSHOT_KINDS)[number];

/** The partition of a store. All of its snapshots are below one prefix of keys. */
export interface SnapshotPlace {
  readonly kind: SnapshotKind;
  /** From 0 to `MAX_PARTITION`. */
  readonly partition: number;
}

export const MAX_PARTITION = 999_999;
const OFFSET_DIGITS = 16;
const RANDOM_BYTES = 8;

export const SNAPSHOT_ID = /^\d{16}-[0-9a-f]{16}$/;
export const RANDOM_ID = /^[0-9a-f]{16}$/;
export const SHA256_HEX = /^[0-9a-f]{64}$/;
const FILE_KEY_NAME = /^[0-9a-f]{64}-([0-9a-f]{16})\.(?:sst|dat)$/;

/** Folders of a place; see docs/formats/snapshot.md. */
export type SnapshotFolder = 'manifests' | 'files' | 'pins' | 'renewed' | 'removed';

/** Throws `invalid_argument` for a kind or partition that does not exist. */
export function checkPlace({ kind, partition }: SnapshotPlace): void {
  if (!SNAPSHOT_KINDS.includes(kind)) throw limitError('kind of a snapshot', kind, SNAPSHOT_KINDS.join(', '));
  if (Number.isInteger(partition) && partition >= 0 && partition <= MAX_PARTITION) return;
  throw limitError('partition of a snapshot', String(partition), `0 to ${MAX_PARTITION}`);
}

/** Throws `invalid_argument` for a text that is not the id of a snapshot. */
export function checkSnapshotId(id: string): void {
  if (SNAPSHOT_ID.test(id)) return;
  throw limitError('id of a snapshot', JSON.stringify(id.slice(0, 100)), '16 digits, "-", 16 hexadecimal digits');
}

/** A random id of an upload or a reader. */
export function newRandomId(random: Random): string {
  return toHex(random.bytes(RANDOM_BYTES));
}

/** An id of a snapshot of the records below `offset`: ids sort by offset, and those of one offset at random. */
export function newSnapshotId(offset: number, random: Random): string {
  return `${String(offset).padStart(OFFSET_DIGITS, '0')}-${newRandomId(random)}`;
}

/** The part of an id that is the offset: ids of one offset have the same one, and that of a higher offset is greater. */
export function offsetDigits(id: string): string {
  return id.slice(0, OFFSET_DIGITS);
}

/** Prefix of the keys of a folder of a place. */
export function folderPrefix({ kind, partition }: SnapshotPlace, folder: SnapshotFolder): string {
  return `snapshots/${kind}-${partition}/${folder}/`;
}

/** Key of the manifest, pin, renewal of a pin, or mark of removal with this id. */
export function documentKey(place: SnapshotPlace, folder: Exclude<SnapshotFolder, 'files'>, id: string): string {
  return `${folderPrefix(place, folder)}${id}.json`;
}

/** The id in the key of such a document; undefined for a key of another form. */
export function idOfKey(key: string, form: RegExp): string | undefined {
  const name = key.slice(key.lastIndexOf('/') + 1);
  const id = name.slice(0, -'.json'.length);
  return name.endsWith('.json') && form.test(id) ? id : undefined;
}

/**
 * Key of the object of a file. It has the id of its upload, so that it is put by one upload only and never again: an object that
 * was once found to be unused stays unused.
 */
export function fileKey(
  place: SnapshotPlace,
  { name, sha256, upload }: { name: string; sha256: string; upload: string },
): string {
  return `${folderPrefix(place, 'files')}${sha256}-${upload}.${fileSuffix(name)}`;
}

/** The end of the keys of a file's objects. */
export function fileSuffix(name: string): 'sst' | 'dat' {
  return name.endsWith('.sst') ? 'sst' : 'dat';
}

/** The id of the upload that put an object of a file; undefined for a key of another form. */
export function uploadOfKey(key: string): string | undefined {
  return FILE_KEY_NAME.exec(key.slice(key.lastIndexOf('/') + 1))?.[1];
}

/** Key of the object whose version changes before manifests are deleted. */
export function removalsKey({ kind, partition }: SnapshotPlace): string {
  return `snapshots/${kind}-${partition}/removals.json`;
}
