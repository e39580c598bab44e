import { equalBytes } from '@tidemark/bytes';
import { type DocumentFields, damagedDocument, parseClosed } from '@tidemark/documents';
import { TidemarkError } from '@tidemark/ports';
import {
  encodeManifest,
  MANIFEST_FORM,
  SNAPSHOT_FILE_BYTES,
  SNAPSHOT_FILES,
  type SnapshotFile,
  type SnapshotManifest,
  STATE_HASHES,
  TEXT_CHARACTERS,
} from './snapshot-manifest.ts';
import {
  MAX_PARTITION,
  RANDOM_ID,
  SHA256_HEX,
  SNAPSHOT_ID,
  SNAPSHOT_KINDS,
  type SnapshotKind,
  type SnapshotPlace,
} from './snapshot-place.ts';

/** Names of files: without folders, and not hidden. RocksDB has `000012.sst`, `MANIFEST-000005` and `CURRENT`. */
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const FILE_FIELDS = new Set(['name', 'bytes', 'sha256', 'upload']);
const HASH_FIELDS = new Set(['bucket', 'hash']);

/**
 * Parses the manifest at `key`, of the snapshot `id` of `place`. Errors have the key, the field, its value and the limit:
 * `data_loss` where the bytes are not those of a manifest; `failed_precondition` with the detail `reason`, which is `newer` for a
 * later format and `foreign` for a manifest of another store, partition or snapshot.
 */
export function parseManifest(bytes: Uint8Array, key: string, place: SnapshotPlace, id: string): SnapshotManifest {
  const fields = parseClosed(bytes, key, MANIFEST_FORM);
  const manifest: SnapshotManifest = {
    id: fields.text('id', SNAPSHOT_ID, '16 digits, "-", 16 hexadecimal digits'),
    kind: fields.text('kind', /^(?:points|tags|aggregator)$/, SNAPSHOT_KINDS.join(', ')) as SnapshotKind,
    partition: fields.integer('partition', 0, MAX_PARTITION),
    storeFormat: fields.integer('storeFormat', 1, 2 ** 31),
    logId: fields.shortText('logId', TEXT_CHARACTERS),
    offset: fields.integer('offset', 0, Number.MAX_SAFE_INTEGER),
    ...(fields.has('watermarkMs') && { watermarkMs: timeOf(fields, 'watermarkMs') }),
    createdMs: timeOf(fields, 'createdMs'),
    createdBy: fields.shortText('createdBy', TEXT_CHARACTERS),
    stateHashes: fields.list('stateHashes', STATE_HASHES, HASH_FIELDS).map((one) => ({
      bucket: one.shortText('bucket', TEXT_CHARACTERS),
      hash: one.shortText('hash', TEXT_CHARACTERS),
    })),
    files: filesOf(fields),
  };
  checkIdentity(manifest, key, place, id);
  if (Number(manifest.id.slice(0, 16)) !== manifest.offset) {
    throw fields.refused('offset', `the one in the id, ${Number(manifest.id.slice(0, 16))}`);
  }
  // Refuses also what JSON hides, such as a field that is there twice.
  if (!equalBytes(encodeManifest(manifest), bytes)) {
    throw damagedDocument(key, '', `${bytes.length} bytes`, 'the bytes in which a program writes this manifest');
  }
  return manifest;
}

/** Checks that a manifest can be read again. `invalid_argument` has the field, its value and the limit. */
export function checkedManifest(manifest: SnapshotManifest): Uint8Array {
  const bytes = encodeManifest(manifest);
  try {
    parseManifest(bytes, 'of a new snapshot', manifest, manifest.id);
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error;
    throw new TidemarkError('invalid_argument', error.message, error.detail, { cause: error });
  }
  return bytes;
}

function checkIdentity(manifest: SnapshotManifest, key: string, place: SnapshotPlace, id: string): void {
  for (const [field, found, limit] of [
    ['kind', manifest.kind, place.kind],
    ['partition', manifest.partition, place.partition],
    ['id', manifest.id, id],
  ] as const) {
    if (found === limit) continue;
    const message = `object ${key}, ${field}: ${found} (limit: ${limit}); it is a copy of another snapshot's manifest`;
    throw new TidemarkError('failed_precondition', message, { reason: 'foreign', key, field });
  }
}

function filesOf(fields: DocumentFields): SnapshotFile[] {
  const names = new Set<string>();
  return fields.list('files', SNAPSHOT_FILES, FILE_FIELDS).map((one) => {
    const name = one.text('name', FILE_NAME, 'a file name of 1 to 128 of A-Z, a-z, 0-9, ".", "_", "-", no "." first');
    // Some file systems take names that differ in case alone for the same.
    const folded = name.toLowerCase();
    if (names.has(folded)) throw one.refused('name', 'a name that no other file has');
    names.add(folded);
    return {
      name,
      bytes: one.integer('bytes', 0, SNAPSHOT_FILE_BYTES),
      sha256: one.text('sha256', SHA256_HEX, '64 hexadecimal digits'),
      upload: one.text('upload', RANDOM_ID, '16 hexadecimal digits'),
    };
  });
}

function timeOf(fields: DocumentFields, name: string): number {
  return fields.integer(name, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
}
