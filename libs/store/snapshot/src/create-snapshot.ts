import { type Disk, ifStored, inParallel, isTidemarkError } from '@tidemark/ports';
import { digestOf, type FileDigest, fileChunks } from './file-digest.ts';
import { objectChunks } from './object-chunks.ts';
import { checkedManifest } from './parse-manifest.ts';
import type { Pin } from './pin.ts';
import { pinBase } from './pinned-snapshot.ts';
import { markRemoved } from './removal-marks.ts';
import type { SnapshotFacts, SnapshotFile, SnapshotManifest } from './snapshot-manifest.ts';
import { documentKey, fileKey, fileSuffix, newSnapshotId } from './snapshot-place.ts';
import type { SnapshotOptions, SnapshotStore } from './snapshot-store.ts';
import type { TableDigests } from './table-digests.ts';
import { uploadFile } from './upload-file.ts';

/** Files that are uploaded at the same time. */
const UPLOADS_AT_ONCE = 4;
/** Part of the reused objects that is read again: with a snapshot each hour about once a day. */
const READ_AGAIN = 1 / 24;

export interface CheckpointFile {
  readonly name: string;
  readonly bytes: number;
  /** True for a table: a file that never changes, with a name that the database never uses again. */
  readonly isTable: boolean;
}

/** A folder with the files of a database, which do not change. */
export interface Checkpoint {
  readonly disk: Disk;
  /** Path of the folder on the disk. */
  readonly folder: string;
  readonly files: readonly CheckpointFile[];
  /** Id of the database that the tables are of; no other database has it, also not a later one in its folder. */
  readonly database: string;
  /**
   * Throws `data_loss` where one of these tables is damaged. It gets those that the base of a snapshot does not have: so no damage
   * of a disk takes the place of a whole table in the newest snapshot.
   */
  readonly verifyTables: (names: ReadonlySet<string>, options: VerifyTablesOptions) => Promise<void>;
}

export interface VerifyTablesOptions {
  readonly signal: AbortSignal | undefined;
  /** To be called at least each minute. */
  readonly onRead: (bytes: number) => Promise<void>;
}

/** Receives the progress of long work, bytes of files. */
export type ReportProgress = (doneBytes: number, totalBytes: number) => void;

export interface CreateOptions extends SnapshotOptions {
  /** Remembered between snapshots, so that known tables are not read again. */
  readonly digests: TableDigests;
  /**
   * The snapshot whose files are reused, if it exists; otherwise those of the newest one. Replicas have other tables: a process
   * gives its own last one.
   */
  readonly base?: string | undefined;
  readonly onProgress?: ReportProgress;
}

export interface CreatedSnapshot {
  readonly manifest: SnapshotManifest;
  /** The snapshot whose files were reused. */
  readonly base?: string;
  readonly uploadedBytes: number;
  readonly reusedBytes: number;
  /** Keys of objects of the base that are damaged: this snapshot has new ones, and those before it can't be restored. */
  readonly damaged: readonly string[];
}

/**
 * Makes a snapshot of a checkpoint: verifies the tables that its base does not have, uploads them and the other files, reads them
 * back, and then puts the manifest. Until then there is no snapshot. What a failed one leaves is deleted by the first collection a
 * day later.
 *
 * Errors: `invalid_argument` for facts or files beyond a limit, and `failed_precondition` for a file that has changed;
 * `data_loss` where a table is damaged, or an object was read back with other bytes; `aborted` where its pin was revoked, because it
 * had stopped for a day; those of the store and the disk. After `unavailable` the snapshot may exist: list the snapshots.
 */
export async function createSnapshot(
  store: SnapshotStore,
  checkpoint: Checkpoint,
  facts: SnapshotFacts,
  options: CreateOptions,
): Promise<CreatedSnapshot> {
  const { signal, onProgress } = options;
  const draft: SnapshotManifest = {
    ...facts,
    id: newSnapshotId(facts.offset, store.random),
    ...store.place,
    createdMs: Math.round(store.clock.wallMs()),
    createdBy: store.user,
    files: checkpoint.files.map(({ name, bytes }) => ({ name, bytes, sha256: '0'.repeat(64), upload: '0'.repeat(16) })),
  };
  // Before anything is uploaded.
  checkedManifest(draft);
  const { pin, manifest: base } = await pinBase(store, options.base, { signal });
  const totalBytes = checkpoint.files.reduce((sum, { bytes }) => sum + bytes, 0);
  let doneBytes = 0;
  const work = new CheckpointUpload(store, checkpoint, pin, base, options.digests, (bytes) => {
    doneBytes += bytes;
    onProgress?.(doneBytes, totalBytes);
  });
  let isUnknown = false;
  try {
    const manifest = { ...draft, files: await work.run(signal) };
    await pin.renew({ signal });
    isUnknown = true;
    await putManifest(store, manifest, pin, { signal });
    isUnknown = false;
    const { uploadedBytes, reusedBytes, damaged } = work;
    return { manifest, ...(base !== undefined && { base: base.id }), uploadedBytes, reusedBytes, damaged };
  } finally {
    // A manifest that may be put needs its files: then the pin expires by itself.
    if (!isUnknown) await pin.release();
  }
}

/** Puts the manifest. Where the pin was revoked before that, files may be deleted: the snapshot is marked as removed. */
async function putManifest(
  store: SnapshotStore,
  manifest: SnapshotManifest,
  pin: Pin,
  options: SnapshotOptions,
): Promise<void> {
  const key = documentKey(store.place, 'manifests', manifest.id);
  await store.objects.put(key, checkedManifest(manifest), { ...options, ifAbsent: true });
  try {
    await pin.check(options);
  } catch (error) {
    if (isTidemarkError(error, 'aborted')) await markRemoved(store, manifest.id, {});
    throw error;
  }
}

/** The upload of the files of one checkpoint. */
class CheckpointUpload {
  readonly #store: SnapshotStore;
  readonly #checkpoint: Checkpoint;
  readonly #pin: Pin;
  readonly #known = new Map<string, SnapshotFile>();
  readonly #digests: TableDigests;
  readonly #done: (bytes: number) => void;
  uploadedBytes = 0;
  reusedBytes = 0;
  readonly damaged: string[] = [];

  constructor(
    store: SnapshotStore,
    checkpoint: Checkpoint,
    pin: Pin,
    base: SnapshotManifest | undefined,
    digests: TableDigests,
    done: (bytes: number) => void,
  ) {
    this.#store = store;
    this.#checkpoint = checkpoint;
    this.#pin = pin;
    this.#digests = digests;
    this.#done = done;
    for (const file of base?.files ?? []) this.#known.set(contentKey(file), file);
  }

  /** Returns the files of the manifest, sorted by name. */
  async run(signal: AbortSignal | undefined): Promise<SnapshotFile[]> {
    const { files: taken, verifyTables } = this.#checkpoint;
    const known = new Map<CheckpointFile, FileDigest>();
    const digest = async (file: CheckpointFile, stop: AbortSignal): Promise<void> => {
      await this.#pin.keep({ signal: stop });
      known.set(file, await this.#digestOf(file, stop));
    };
    await inParallel(taken, UPLOADS_AT_ONCE, digest, signal);
    const digested = [...known];
    const added = digested.filter(
      ([file, { sha256 }]) => file.isTable && !this.#known.has(contentKey({ ...file, sha256 })),
    );
    const names = new Set(added.map(([{ name }]) => name));
    await verifyTables(names, { signal, onRead: () => this.#pin.keep({ signal }) });
    const files: SnapshotFile[] = [];
    const store = async ([file, of]: (typeof digested)[number], stop: AbortSignal): Promise<void> => {
      files.push(await this.#stored(file, of, stop));
    };
    await inParallel(digested, UPLOADS_AT_ONCE, store, signal);
    return files.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #stored({ name, bytes }: CheckpointFile, digest: FileDigest, signal: AbortSignal): Promise<SnapshotFile> {
    await this.#pin.keep({ signal });
    const known = this.#known.get(contentKey({ name, bytes, sha256: digest.sha256 }));
    if (known !== undefined && (await this.#isStored(known, signal))) {
      this.reusedBytes += bytes;
      this.#done(bytes);
      return { ...known, name };
    }
    const stored = { name, bytes, sha256: digest.sha256, upload: this.#pin.id };
    await uploadFile(this.#store, {
      disk: this.#checkpoint.disk,
      path: this.#pathOf(name),
      bytes,
      digest,
      key: fileKey(this.#store.place, stored),
      signal,
      sending: () => this.#pin.keep({ signal }),
      verified: async (read) => {
        this.#done(read);
        await this.#pin.keep({ signal });
      },
    });
    this.uploadedBytes += bytes;
    return stored;
  }

  async #digestOf({ name, bytes, isTable }: CheckpointFile, signal: AbortSignal): Promise<FileDigest> {
    const { database, disk } = this.#checkpoint;
    const known = isTable ? this.#digests.get(database, name, bytes) : undefined;
    if (known !== undefined) return known;
    const digest = await digestOf(fileChunks(disk, this.#pathOf(name), bytes, signal), () =>
      this.#pin.keep({ signal }),
    );
    if (isTable) this.#digests.set(database, name, bytes, digest);
    return digest;
  }

  /**
   * True where the object of a file of the base is there with its size. It was read back when it was uploaded, and some are read again
   * each time, so that damage of an object does not pass from snapshot to snapshot.
   */
  async #isStored(file: SnapshotFile, signal: AbortSignal): Promise<boolean> {
    const key = fileKey(this.#store.place, file);
    try {
      const info = await ifStored(this.#store.objects.head(key, { signal }));
      if (info === undefined) return false;
      if (info.sizeBytes === file.bytes && (await this.#isWhole(file, key, signal))) return true;
    } catch (error) {
      // Damage that the object store finds by itself.
      if (!isTidemarkError(error, 'data_loss')) throw error;
    }
    this.damaged.push(key);
    return false;
  }

  async #isWhole({ bytes, sha256 }: SnapshotFile, key: string, signal: AbortSignal): Promise<boolean> {
    const { objects, random } = this.#store;
    if (random.next() >= READ_AGAIN) return true;
    const chunks = objectChunks(objects, key, bytes, signal);
    const found = await digestOf(chunks, () => this.#pin.keep({ signal }));
    return found.sha256 === sha256;
  }

  #pathOf(name: string): string {
    return `${this.#checkpoint.folder}/${name}`;
  }
}

/** What files have in common that may have one object. */
function contentKey({ name, bytes, sha256 }: Pick<SnapshotFile, 'name' | 'bytes' | 'sha256'>): string {
  return `${sha256} ${bytes} ${fileSuffix(name)}`;
}
