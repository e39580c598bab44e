import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ObjectStore } from '@tidemark/ports';
import { openLocalObjects } from './index.ts';

let folder: string;
let store: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-objects-damage-'));
  store = openLocalObjects(folder);
});

afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true });
});

test('a truncated or changed file is data_loss with its key', async () => {
  const { sizeBytes } = await store.put('a/b.x', Buffer.alloc(1000, 'content'));
  const path = join(folder, 'objects/a/b.x');
  const whole = await readFile(path);
  const expected = { code: 'data_loss', detail: { key: 'a/b.x' } };
  for (const length of [0, 10, sizeBytes, whole.length - 1]) {
    await writeFile(path, whole);
    await truncate(path, length);
    await expect(store.get('a/b.x')).rejects.toMatchObject(expected);
    await expect(store.head('a/b.x')).rejects.toMatchObject(expected);
    await expect(store.getRange('a/b.x', { offset: 0, length: 1 })).rejects.toMatchObject(expected);
  }
  const changed = Buffer.from(whole);
  changed[500] ^= 1;
  await writeFile(path, changed);
  await expect(store.get('a/b.x')).rejects.toMatchObject(expected);
  await store.put('a/b.x', Buffer.from('repaired'));
  expect((await store.get('a/b.x')).sizeBytes).toBe(8);
});

test('files of others are not listed, and are left', async () => {
  await store.put('a/b.x', Buffer.from('1'));
  const objects = join(folder, 'objects');
  await writeFile(join(objects, 'README'), 'x');
  await writeFile(join(objects, 'a/UPPER.x'), 'x');
  await writeFile(join(objects, 'a/.hidden'), 'x');
  expect((await store.list('')).objects).toEqual([{ key: 'a/b.x', sizeBytes: 1 }]);
  await store.delete(['a/b.x']);
  expect(await readFile(join(objects, 'a/UPPER.x'), 'utf8')).toBe('x');
});

test('reading writes nothing, also where the folder does not exist', async () => {
  const other = join(folder, 'other');
  const reader = openLocalObjects(other);
  expect(await reader.list('')).toEqual({ objects: [] });
  await expect(reader.get('a/b.x')).rejects.toMatchObject({ code: 'not_found' });
  await reader.close();
  await store.put('a/b.x', Buffer.from('content'));
  const inner = openLocalObjects(join(folder, 'objects'));
  expect((await inner.list('')).objects).toEqual([]);
  await inner.close();
  expect([await readdir(folder), await readdir(join(folder, 'objects'))]).toEqual([
    ['LOCK', 'drafts', 'objects'],
    ['a'],
  ]);
});

test('a file in the place of its folder is not an empty store', async () => {
  const file = join(folder, 'file');
  await writeFile(file, '');
  const reader = openLocalObjects(file);
  for (const prefix of ['', 'snapshots/points/0/']) {
    await expect(reader.list(prefix)).rejects.toMatchObject({ code: 'unavailable' });
  }
  await expect(reader.get('a/b.x')).rejects.toMatchObject({ code: 'unavailable' });
  await reader.close();
});
