import type { DiskFile } from '@tidemark/ports';
import { readAt } from './file-window.ts';
import { RECORD_HEADER_BYTES } from './record-format.ts';

const SECTOR_BYTES = 512;
/** So many zero bytes in a row are taken for bytes that were never written. */
const ZERO_RUN_BYTES = 64;
/** A part of a sector at either end of the range counts from this size on. */
const MIN_PART_BYTES = 4;
const READ_BYTES = 4 * 2 ** 20;

/**
 * True when the bytes from `from` to `to`, the end of the file, show that a write was torn: they end within a header, a
 * sector of them was never written, or a run of zeros has the size of a header. Bytes that were written and then damaged show
 * this, too, if a value has 64 zero bytes in a row, or nothing but zeros in a sector or in its part of one: see the consequences
 * in docs/decisions/0015.
 */
export async function looksTorn(file: DiskFile, from: number, to: number): Promise<boolean> {
  if (to - from < RECORD_HEADER_BYTES) return true;
  let run = 0;
  for (let at = from; at < to; at += READ_BYTES) {
    const bytes = await readAt(file, at, Math.min(READ_BYTES, to - at));
    for (let i = 0; i < bytes.length; i++) {
      run = bytes[i] === 0 ? run + 1 : 0;
      if (run >= ZERO_RUN_BYTES) return true;
      const end = at + i + 1;
      if (run < MIN_PART_BYTES || (end % SECTOR_BYTES !== 0 && end !== to)) continue;
      const partBytes = end - Math.max(from, Math.floor((end - 1) / SECTOR_BYTES) * SECTOR_BYTES);
      if (run >= partBytes && partBytes >= MIN_PART_BYTES) return true;
    }
  }
  return false;
}
