import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openFilesLimit } from './open-files-limit.ts';

test('the limit is the soft one, and is not known without a number', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-limits-'));
  try {
    const limitOf = async (line: string): Promise<number | undefined> => {
      const file = join(folder, 'limits');
      await writeFile(file, `Limit                     Soft Limit           Hard Limit           Units\n${line}\n`);
      return openFilesLimit(file);
    };
    expect(await limitOf('Max open files            1024                 1048576              files     ')).toBe(1024);
    expect(
      await limitOf('Max open files            unlimited            unlimited            files     '),
    ).toBeUndefined();
    expect(await openFilesLimit(join(folder, 'none'))).toBeUndefined();
  } finally {
    await rm(folder, { recursive: true });
  }
});
