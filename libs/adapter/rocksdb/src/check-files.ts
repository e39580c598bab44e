import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32c } from '@tidemark/bytes';
import { TidemarkError } from '@tidemark/ports';

/** Manifests and write-ahead files are blocks of this size; no record's part crosses the end of one. */
const BLOCK_BYTES = 32_768;
/** Checksum (u32), length (u16), type (u8). */
const HEAD_BYTES = 7;
const MASK_DELTA = 0xa282ead8;
/** A block that was allocated and not written. */
const UNWRITTEN = 0;
/** Whole, first, middle and last part. */
const LAST_TYPE = 4;
/** The same of a file that was used before. No file of these databases is. */
const LAST_RECYCLED_TYPE = 8;

/**
 * Checks the frames of the manifest and of the write-ahead files of a database that is not open. RocksDB 10.5 loops without end
 * in a file where a flipped bit makes a part one of a reused file, and takes a manifest whose last length is too large for one
 * that was cut there, without its last tables. Throws `data_loss` with `file` and `offset`. What RocksDB itself detects, or
 * repairs after a crash, is left to it.
 */
export async function checkFiles(path: string): Promise<void> {
  const names = await readdir(path);
  const manifest = await manifestOf(path, names);
  for (const name of names.filter((one) => one === manifest || /^\d+\.log$/.test(one)).sort()) {
    const found = damageOf(await readFile(join(path, name)), name === manifest);
    if (found === undefined) continue;
    const { offset, what } = found;
    throw new TidemarkError('data_loss', `${join(path, name)} is damaged at offset ${offset}: ${what}`, {
      file: name,
      offset,
    });
  }
}

/** The manifest that `CURRENT` names; a database that is being created has none. */
async function manifestOf(path: string, names: readonly string[]): Promise<string | undefined> {
  if (!names.includes('CURRENT')) return undefined;
  const named = (await readFile(join(path, 'CURRENT'), 'latin1')).trimEnd();
  return names.includes(named) ? named : undefined;
}

/** The first damage of a file that RocksDB does not deal with. */
export function damageOf(bytes: Buffer, isManifest: boolean): { offset: number; what: string } | undefined {
  for (let at = 0; at + HEAD_BYTES <= bytes.length; ) {
    const leftInBlock = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (leftInBlock < HEAD_BYTES) {
      at += leftInBlock;
      continue;
    }
    const length = bytes.readUInt16LE(at + 4);
    const type = bytes[at + 6];
    if (type > LAST_TYPE && type <= LAST_RECYCLED_TYPE) return { offset: at, what: `a part of type ${type}` };
    if (type === UNWRITTEN && length === 0 && bytes.readUInt32LE(at) === 0) return undefined;
    const end = at + HEAD_BYTES + length;
    const isWhole = length <= leftInBlock - HEAD_BYTES && end <= bytes.length;
    if (isManifest && isWhole && !isValid(bytes, at, end)) return { offset: at, what: 'its checksum is wrong' };
    // A crash cuts the last part. If it is valid with another length, that was changed: the checksum does not cover it.
    if (isManifest && !isWhole && endsBefore(bytes, at, Math.min(bytes.length, at + leftInBlock))) {
      return { offset: at, what: `its length is given as ${length}` };
    }
    if (!isWhole) return undefined;
    at = end;
  }
  return undefined;
}

/** Whether the checksum of the part at `at` is that of its type and its bytes up to `end`. */
function isValid(bytes: Buffer, at: number, end: number): boolean {
  return maskOf(crc32c(bytes.subarray(at + 6, end))) === bytes.readUInt32LE(at);
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

/** The form in which files have checksums, so that one over other checksums differs from them. */
function maskOf(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
