import { copyFile, readFile, rename, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { recordsOf } from './record-frames.ts';
import { syncPath } from './sync-path.ts';

/** Where the write-ahead log of a database can't be read further. */
export interface WalDamage {
  readonly file: string;
  readonly offset: number;
  readonly what: string;
}

interface WalFile {
  readonly name: string;
  readonly read: () => Promise<Buffer>;
}

const WAL_NAME = /^\d+\.log$/;
/** Sequence (u64) and number of entries (u32) of a batch. */
const BATCH_HEAD_BYTES = 12;
/** RocksDB ignores files with this ending. */
const ASIDE = '.damaged';

/**
 * Cuts the write-ahead files of a closed database at the first place that can't be read, or before which writes are missing:
 * RocksDB replays a later file even if a write of an earlier one is gone, so that the newest state would lack older entries. What
 * it can't use is kept under names that end with `.damaged`. All writes up to `tableSequence` are in tables. Returns the place;
 * undefined when there is none, or only a last record that a crash has cut.
 */
export async function cutWal(
  path: string,
  names: readonly string[],
  tableSequence: number,
): Promise<WalDamage | undefined> {
  const files = names
    .filter((name) => WAL_NAME.test(name))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((name) => ({ name, read: () => readFile(join(path, name)) }));
  const damage = await damageOfWal(files, tableSequence);
  if (damage === undefined) return undefined;
  const { file, offset } = damage;
  for (const { name } of files.slice(files.findIndex(({ name }) => name === file)).toReversed()) {
    const from = join(path, name);
    if (name !== file || offset === 0) await rename(from, from + ASIDE);
    else {
      await copyFile(from, from + ASIDE);
      await truncate(from, offset);
      await syncPath(from);
    }
  }
  await syncPath(path);
  return damage;
}

/** The first place in write-ahead files, in their order, that does not follow from what is before it. */
export async function damageOfWal(files: readonly WalFile[], tableSequence: number): Promise<WalDamage | undefined> {
  let expected = tableSequence + 1;
  for (const { name, read } of files) {
    let isFirst = true;
    for (const record of recordsOf(await read())) {
      const { at: offset } = record;
      if ('what' in record) return { file: name, offset, what: record.what };
      if (record.bytes.length < BATCH_HEAD_BYTES) return { file: name, offset, what: 'its record is too short' };
      const sequence = Number(record.bytes.readBigUInt64LE(0));
      // A file may begin with writes that are in tables, and, after a failed write, with sequences that the file before it has.
      const follows = isFirst ? sequence <= Math.max(expected, tableSequence + 1) : sequence === expected;
      if (!follows) return { file: name, offset, what: `it has write ${sequence}, and write ${expected} is missing` };
      expected = sequence + record.bytes.readUInt32LE(8);
      isFirst = false;
    }
  }
  return undefined;
}
