import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { LocalDisk, prepareDataFolder } from './index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-data-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a data folder is created with its parents, and one that exists is kept', async () => {
  const deep = join(folder, 'a', 'b', 'c');
  await Promise.all([prepareDataFolder(deep), prepareDataFolder(deep)]);
  await prepareDataFolder(deep);
  expect((await stat(deep)).isDirectory()).toBe(true);
});

test('a file is refused as a data folder, and as its parent', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  await expect(prepareDataFolder(file)).rejects.toMatchObject({
    message: `cannot use ${file} as the data folder: it is a file`,
    detail: { setting: 'data.folder', errno: 'ENOTDIR' },
  });
  const within = join(file, 'a', 'b');
  await expect(prepareDataFolder(within)).rejects.toMatchObject({
    message: `cannot use ${within} as the data folder: ${file} is a file`,
  });
});

test('a file system without new folders is refused, where a recursive mkdir of Node would not end', async () => {
  if (process.platform !== 'linux') return;
  const message = 'cannot use /proc/tidemark/a as the data folder: the file system of /proc accepts no folders';
  await expect(prepareDataFolder('/proc/tidemark/a')).rejects.toMatchObject({ code: 'permission_denied', message });
  await expect(new LocalDisk('/proc/tidemark/a').lock('LOCK')).rejects.toMatchObject({ code: 'permission_denied' });
});
