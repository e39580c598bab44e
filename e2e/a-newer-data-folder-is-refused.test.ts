import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { TestBed } from './process/test-bed.ts';

const bed = new TestBed();
afterEach(() => bed.clear());

test('a data folder of a newer format is refused by name and left as it is', async () => {
  const folder = await bed.folder();
  const platform = await bed.platform({ folder });
  await platform.stop();
  const file = join(folder, 'log', 'FORMAT');
  const written = await readFile(file, 'utf8');
  const newer = written.replace(/\d+/, '999');
  await writeFile(file, newer);
  await expect(bed.platform({ folder })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(/999/),
  });
  expect(await readFile(file, 'utf8')).toBe(newer);

  // Put back, it starts as if nothing had been.
  await writeFile(file, written);
  await bed.platform({ folder });
});
