import { expect, test } from '@jest/globals';
import { SeededRandom } from '@tidemark/simulation';
import { CrashDisk } from './crash-disk.ts';
import { looksTorn } from './torn-write.ts';

const SECTOR_BYTES = 512;
const MIB = 2 ** 20;

/** True when a file of `size` bytes with zeros in these ranges, and none elsewhere, looks torn behind `from`. */
async function torn(
  from: number,
  size: number,
  ...zeros: readonly (readonly [from: number, to: number])[]
): Promise<boolean> {
  const bytes = Buffer.alloc(size, 7);
  for (const range of zeros) bytes.fill(0, ...range);
  const disk = new CrashDisk(new SeededRandom(1), { failedWrite: 0, failedSync: 0 });
  disk.put('file', bytes);
  const file = await disk.open('file');
  return looksTorn(file, from, size);
}

test('bytes that end within a header look torn, and whole ones without zeros do not', async () => {
  expect(await torn(1000, 1063)).toBe(true);
  expect(await torn(1000, 1064)).toBe(false);
  expect(await torn(0, 5000)).toBe(false);
});

test('a run of 64 zero bytes looks torn wherever it is; 63 do not', async () => {
  expect(await torn(1000, 1500, [1100, 1163])).toBe(false);
  expect(await torn(1000, 1500, [1100, 1164])).toBe(true);
  // Across the border of two reads of the file.
  expect(await torn(0, 4 * MIB + 200, [4 * MIB - 32, 4 * MIB + 31])).toBe(false);
  expect(await torn(0, 4 * MIB + 200, [4 * MIB - 32, 4 * MIB + 32])).toBe(true);
});

test('zeros before the range do not count', async () => {
  expect(await torn(1000, 1500, [900, 1000])).toBe(false);
  expect(await torn(1100, 1500, [1060, 1130])).toBe(false);
});

test('the part of a sector at either end looks torn when it is zero and has 4 bytes', async () => {
  const border = 2 * SECTOR_BYTES;
  expect(await torn(border - 4, 1500, [border - 4, border])).toBe(true);
  expect(await torn(border - 3, 1500, [border - 3, border])).toBe(false);
  expect(await torn(border - 5, 1500, [border - 4, border])).toBe(false);
  expect(await torn(900, border + 4, [border, border + 4])).toBe(true);
  expect(await torn(900, border + 3, [border, border + 3])).toBe(false);
  expect(await torn(900, border + 5, [border + 1, border + 5])).toBe(false);
});

test('a value with 64 zero bytes looks torn though it was written whole: the exception of decision 0015', async () => {
  expect(await torn(1000, 1000 + 64 + 100, [1064, 1064 + 64])).toBe(true);
});
