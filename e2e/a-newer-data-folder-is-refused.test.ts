import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

test('a data folder of a newer format is refused by name and left as it is', async () => {
  const folder = await harness.folder();
  const platform = await harness.platform({ folder });
  await platform.stop();
  const file = join(folder, 'log', 'FORMAT');
  const written = await readFile(file, 'utf8');
  const newer = written.replace(/\d+/, '999');
  await writeFile(file, newer);
  await expect(harness.platform({ folder })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(/999/),
  });
  expect(await readFile(file, 'utf8')).toBe(newer);

  // With the old version file again, the platform starts normally.
  await writeFile(file, written);
  await harness.platform({ folder });
});
