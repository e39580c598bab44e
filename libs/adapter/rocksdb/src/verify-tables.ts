import { compareBytes } from '@tidemark/bytes';
import { assert, type KeyRange } from '@tidemark/ports';
import RocksDB from 'rocksdb-native';
import { readManifest, tableName } from './checkpoint.ts';
import { pagedEntries } from './entries.ts';
import { rocksDbError } from './errors.ts';
import type { ManifestTable } from './manifest-edits.ts';

/** A key that is above another one, and below all others above it, has this byte more. */
const NEXT = 0;
/** Tables are opened when they are read, and not all at once. */
const OPEN_FILES = 20;
/** Bytes of entries between two reports. */
const REPORTED_BYTES = 2 ** 20;

interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface VerifyTablesOptions {
  /** When it aborts, its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the bytes of entries that were read since the last call. */
  readonly onRead?: ((bytes: number) => Promise<void>) | undefined;
}

/**
 * Reads all entries between the first and the last key of each of these tables, by their file names, in the database of the folder
 * `path`, which no process writes to, such as a checkpoint: RocksDB compares the checksum of each block that it reads. Errors:
 * `data_loss` with the detail `operation` of `verify` for a damaged table; those of reading the manifest, and of `onRead`.
 */
export async function verifyTables(
  path: string,
  names: ReadonlySet<string>,
  options: VerifyTablesOptions = {},
): Promise<void> {
  if (names.size === 0) return;
  const read = await readManifest(path).catch((error: unknown) => {
    throw rocksDbError(error, 'copy', path);
  });
  assert(read !== undefined, `the manifest of ${path} does not change`);
  const ranges = rangesOf(read.found.tables.filter((table) => names.has(tableName(table))));
  const db = await openReader(path);
  try {
    const session = db.snapshot();
    try {
      for (const range of ranges) await readRange(verifiedEntries(session, range, path), options);
    } finally {
      await session.close();
    }
  } finally {
    await db.close();
  }
}

async function openReader(path: string): Promise<RocksDB> {
  try {
    const db = new RocksDB(path, {
      ...{ readOnly: true, maxOpenFiles: OPEN_FILES, blockCache: false, tableCacheIndexAndFilterBlocks: false },
    });
    // One that can't be opened can't be closed either.
    await db.ready();
    return db;
  } catch (error) {
    throw rocksDbError(error, 'verify', path);
  }
}

/** Entries, whose errors are those of tables: what a reader of them throws is not one of them. */
async function* verifiedEntries(session: RocksDB, range: KeyRange, path: string): AsyncGenerator<Entry> {
  try {
    yield* pagedEntries(session, range);
  } catch (error) {
    throw rocksDbError(error, 'verify', path);
  }
}

async function readRange(found: AsyncIterable<Entry>, { signal, onRead }: VerifyTablesOptions): Promise<void> {
  let bytes = 0;
  const report = async (): Promise<void> => {
    await onRead?.(bytes);
    signal?.throwIfAborted();
    bytes = 0;
  };
  for await (const { key, value } of found) {
    bytes += key.length + value.length;
    if (bytes >= REPORTED_BYTES) await report();
  }
  await report();
}

/** Ranges of keys that the tables have, without those that two would read. */
function rangesOf(tables: readonly ManifestTable[]): KeyRange[] {
  const sorted = tables.toSorted((a, b) => compareBytes(a.first, b.first));
  const ranges: { from: Uint8Array; to: Uint8Array }[] = [];
  for (const { first, last } of sorted) {
    const to = Uint8Array.of(...last, NEXT);
    const previous = ranges.at(-1);
    if (previous === undefined || compareBytes(first, previous.to) > 0) ranges.push({ from: first, to });
    else if (compareBytes(to, previous.to) > 0) previous.to = to;
  }
  return ranges;
}
