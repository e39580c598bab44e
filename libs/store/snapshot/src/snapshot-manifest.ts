import { type ClosedForm, encodeClosed } from '@tidemark/documents';
import type { SnapshotKind } from './snapshot-place.ts';

export const MANIFEST_VERSION = 1;
/** Max bytes of a manifest. */
export const MANIFEST_BYTES = 16 * 2 ** 20;
export const MANIFEST_FORM: ClosedForm = {
  version: MANIFEST_VERSION,
  bytes: MANIFEST_BYTES,
  fields: [
    ...['id', 'kind', 'partition', 'storeFormat', 'logId', 'offset', 'watermarkMs', 'createdMs', 'createdBy'],
    ...['stateHashes', 'files'],
  ],
};
/** Max files of a snapshot. Tables of 64 MiB make 4 TiB. */
export const SNAPSHOT_FILES = 65_536;
/** Max bytes of a file: what S3 takes in parts of 16 MiB, rounded down to a power of two. */
export const SNAPSHOT_FILE_BYTES = 128 * 2 ** 30;
/** Max state hashes of a snapshot. */
export const STATE_HASHES = 65_536;
/** Max characters of the other texts: ids of logs, of buckets, hashes, and who made it. */
export const TEXT_CHARACTERS = 256;

export interface SnapshotFile {
  /** Name in the folder of the database. */
  readonly name: string;
  readonly bytes: number;
  /** In lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Id of the upload that put the object of the file. */
  readonly upload: string;
}

/** A hash of a part of the state, such as a bucket. Snapshots do not interpret it. */
export interface StateHash {
  readonly bucket: string;
  readonly hash: string;
}

/** What the store knows of the state of which a snapshot is made. */
export interface SnapshotFacts {
  /** Version of the format of the store's keys and values. */
  readonly storeFormat: number;
  /** Id of the log that the state comes from. */
  readonly logId: string;
  /** The state has all records of the log below this offset, and perhaps some after it. */
  readonly offset: number;
  /** Wall clock of the log through which the state is complete, ms since the Unix epoch; undefined where it has none. */
  readonly watermarkMs?: number;
  readonly stateHashes: readonly StateHash[];
}

/** A snapshot: what it is of, and its files. docs/formats/snapshot.md has its form. */
export interface SnapshotManifest extends SnapshotFacts {
  readonly id: string;
  readonly kind: SnapshotKind;
  readonly partition: number;
  /** Wall clock of its maker, ms since the Unix epoch. */
  readonly createdMs: number;
  /** The process that made it, for operators. */
  readonly createdBy: string;
  readonly files: readonly SnapshotFile[];
}

/** The bytes of a manifest; equal manifests have equal bytes. */
export function encodeManifest(manifest: SnapshotManifest): Uint8Array {
  const { id, kind, partition, storeFormat, logId, offset, watermarkMs, createdMs, createdBy } = manifest;
  return encodeClosed(MANIFEST_FORM, {
    id,
    kind,
    partition,
    storeFormat,
    logId,
    offset,
    watermarkMs,
    createdMs,
    createdBy,
    stateHashes: manifest.stateHashes.map(({ bucket, hash }) => ({ bucket, hash })),
    files: manifest.files.map(({ name, bytes, sha256, upload }) => ({ name, bytes, sha256, upload })),
  });
}
