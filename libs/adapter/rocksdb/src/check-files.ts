import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '@tidemark/bytes';
import { TidemarkError } from '@tidemark/ports';
import { tableSequenceOf } from './manifest-edits.ts';
import {
  HEAD_BYTES,
  isValidPart,
  LAST_RECYCLED_TYPE,
  LAST_TYPE,
  maskOf,
  partFrom,
  UNWRITTEN,
} from './record-frames.ts';
import { cutWal, type WalDamage } from './wal-chain.ts';

/** Files that only a database has which was opened before. */
const CONTENT = /^\d+\.(log|sst)$/;

/**
 * Checks the manifest and the write-ahead files of a database that is not open. RocksDB 10.5 loops without end in a file where
 * a flipped bit makes a part one of a reused file, takes a manifest whose last length is too large for one that was cut there,
 * without its last tables, and makes an empty database of a folder whose `CURRENT` is gone. Throws `data_loss` with `file` and
 * `offset`. Other damage of a manifest is left to it.
 *
 * Write-ahead files are cut where they can't be read, or where writes are missing: the database is then one that ended earlier.
 * Returns that place.
 */
export async function checkFiles(path: string): Promise<WalDamage | undefined> {
  const names = await readdir(path);
  if (!names.includes('CURRENT')) {
    const one = names.find((name) => CONTENT.test(name));
    if (one === undefined) return undefined;
    const text = `${join(path, 'CURRENT')} is missing, although there is ${one}`;
    throw new TidemarkError('data_loss', text, { file: 'CURRENT' });
  }
  const name = (await readFile(join(path, 'CURRENT'), 'latin1')).trimEnd();
  if (!names.includes(name)) return undefined;
  const manifest = await readFile(join(path, name));
  const found = manifestDamage(manifest);
  if (found !== undefined) {
    const { offset, what } = found;
    const text = `${join(path, name)} is damaged at offset ${offset}: ${what}`;
    throw new TidemarkError('data_loss', text, { file: name, offset });
  }
  return cutWal(path, names, tableSequenceOf(manifest));
}

/** The first damage of a manifest that RocksDB does not deal with. */
export function manifestDamage(bytes: Buffer): { offset: number; what: string } | undefined {
  for (let part = partFrom(bytes, 0); part !== undefined; part = partFrom(bytes, part.end)) {
    const { at, type, length, end, blockEnd } = part;
    if (type > LAST_TYPE && type <= LAST_RECYCLED_TYPE) return { offset: at, what: `a part of type ${type}` };
    if (type === UNWRITTEN && length === 0 && bytes.readUInt32LE(at) === 0) return undefined;
    const isWhole = end <= blockEnd && end <= bytes.length;
    if (isWhole && !isValidPart(bytes, at, end)) return { offset: at, what: 'its checksum is wrong' };
    // A crash cuts the last part. If it is valid with another length, that was changed: the checksum does not cover it.
    if (!isWhole && endsBefore(bytes, at, Math.min(bytes.length, blockEnd))) {
      return { offset: at, what: `its length is given as ${length}` };
    }
    if (!isWhole) return undefined;
  }
  return undefined;
}

/** Whether the part at `at` is valid with some end up to `limit`. */
function endsBefore(bytes: Buffer, at: number, limit: number): boolean {
  let crc = 0;
  for (let end = at + HEAD_BYTES; end <= limit; end++) {
    crc = crc32c(bytes.subarray(end - 1, end), crc);
    if (maskOf(crc) === bytes.readUInt32LE(at)) return true;
  }
  return false;
}
