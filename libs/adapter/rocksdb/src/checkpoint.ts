import { copyFile, link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode, TidemarkError } from '@tidemark/ports';
import { ifThere } from './if-there.ts';
import { type ManifestTable, type ManifestTables, tablesOf } from './manifest-edits.ts';
import { syncPath } from './sync-path.ts';

/** A file of a checkpoint. Tables never change; the manifest and `CURRENT` are this checkpoint's own. */
export interface CheckpointFile {
  readonly name: string;
  readonly bytes: number;
  readonly isTable: boolean;
}

/** Compactions that may remove a table while it is linked, before a checkpoint gives up. Each is seconds of work. */
const ATTEMPTS = 20;
/** The folder in which a checkpoint is made, before it has its name. */
const PARTIAL = '.partial';
/** Errors of links that a copy does not have. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EXDEV', 'EPERM', 'ENOTSUP']);
const TABLE_NAME = /^(\d+)\.sst$/;

/**
 * Makes a database of the folder `path`, which is open, in the folder `to`: its tables as hard links, and the manifest up to
 * the edit that is the last one now. Background work continues: files of tables never change, and RocksDB removes one only
 * after it wrote that into the manifest, so where a table is gone a newer manifest must be read. Writes that are in no table
 * yet are not in it.
 */
export async function linkTables(path: string, to: string): Promise<CheckpointFile[]> {
  const partial = to + PARTIAL;
  await rm(partial, { recursive: true, force: true });
  await makeEmptyFolder(to, partial);
  try {
    for (let attempt = 1; ; attempt++) {
      if (await isLinked(path, partial)) break;
      if (attempt === ATTEMPTS) {
        const text = `the tables of ${path} changed ${ATTEMPTS} times while they were linked: try again`;
        throw new TidemarkError('unavailable', text, { path });
      }
    }
    await syncPath(partial);
    await rename(partial, to);
    await syncPath(dirname(to));
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
  const names = (await readdir(to)).sort();
  return Promise.all(
    names.map(async (name) => {
      const { size } = await stat(join(to, name));
      return { name, bytes: size, isTable: TABLE_NAME.test(name) };
    }),
  );
}

/** Links the tables of the newest manifest, and writes it. Returns whether all of its tables were there. */
async function isLinked(path: string, to: string): Promise<boolean> {
  const read = await readManifest(path);
  if (read === undefined) return false;
  const { name, current, manifest, found } = read;
  const linked = new Set(await readdir(to));
  const tables = new Set(found.tables.map(tableName));
  for (const table of tables) {
    if (!linked.has(table) && !(await isLinkMade(join(path, table), join(to, table)))) return false;
  }
  // Of an attempt before this one.
  for (const other of linked) if (!tables.has(other)) await rm(join(to, other));
  await writeSynced(join(to, name), manifest.subarray(0, found.end));
  await writeSynced(join(to, 'CURRENT'), Buffer.from(current, 'latin1'));
  return true;
}

/** A manifest of a database, and its tables. */
interface ReadManifest {
  readonly name: string;
  /** Content of the file that names it. */
  readonly current: string;
  readonly manifest: Buffer;
  readonly found: ManifestTables;
}

/** Reads the manifest of a database; undefined where it was replaced by a new one meanwhile, as one that has grown is. */
export async function readManifest(path: string): Promise<ReadManifest | undefined> {
  const current = await readFile(join(path, 'CURRENT'), 'latin1');
  const name = current.trimEnd();
  const manifest = await ifThere(readFile(join(path, name)));
  if (manifest === undefined) return undefined;
  const found = tablesOf(manifest);
  if (typeof found !== 'string') return { name, current, manifest, found };
  throw new TidemarkError('data_loss', `${join(path, name)} can't be read, ${found}`, { path, file: name });
}

/** Name of the file of a table. */
export function tableName({ number }: Pick<ManifestTable, 'number'>): string {
  return `${String(number).padStart(6, '0')}.sst`;
}

async function makeEmptyFolder(to: string, partial: string): Promise<void> {
  if ((await stat(to).catch(() => undefined)) !== undefined) {
    throw new TidemarkError('failed_precondition', `the folder ${to} of a checkpoint exists already`, { path: to });
  }
  await mkdir(partial, { recursive: true });
}

/** Links a file; copies it where links can't be made. Returns false where it does not exist. */
async function isLinkMade(from: string, to: string): Promise<boolean> {
  return (await ifThere(linkOrCopy(from, to).then(() => true))) ?? false;
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    // Another file system, or one without links.
    if (!NO_LINKS.has(systemCode(error))) throw error;
    await copyFile(from, to);
    await syncPath(to);
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(path, bytes);
  await syncPath(path);
}
