import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { writeSmallFile } from '@tidemark/ports';
import { LocalDisk } from './local-disk.ts';

const MOVED = { code: 'unavailable', message: expect.stringContaining('was moved or deleted while this process') };
const REPLACED = { code: 'unavailable', message: expect.stringContaining('was replaced while this process') };
let parent: string;
let folder: string;
let disk: LocalDisk;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'tidemark-place-'));
  folder = join(parent, 'data');
  disk = new LocalDisk(folder);
});
afterEach(() => rm(parent, { recursive: true, force: true }));

describe('a folder that is moved or deleted while it is in use', () => {
  test('makes no write durable, until it is back', async () => {
    const file = await disk.open('sub/file', { create: true });
    await file.write(Uint8Array.of(1), 0);
    await file.sync();
    await rename(folder, `${folder}.away`);
    await file.write(Uint8Array.of(2), 1);
    await expect(file.sync()).rejects.toMatchObject(MOVED);
    await rename(`${folder}.away`, folder);
    await file.sync();
    await rm(folder, { recursive: true });
    await expect(file.sync()).rejects.toMatchObject(MOVED);
    await file.close();
  });

  test('makes no write durable when another one has its name', async () => {
    const file = await disk.open('file', { create: true });
    await rename(folder, `${folder}.away`);
    await (await new LocalDisk(folder).open('file', { create: true })).close();
    await expect(file.sync()).rejects.toMatchObject(REPLACED);
    await file.close();
  });

  test('is not created again by its owner', async () => {
    const lock = await disk.lock('LOCK');
    expect((await disk.space()).totalBytes).toBeGreaterThan(0);
    await rename(folder, `${folder}.away`);
    await expect(disk.open('new/file', { create: true })).rejects.toMatchObject(MOVED);
    await expect(writeSmallFile(disk, 'small', Uint8Array.of(1))).rejects.toMatchObject(MOVED);
    await expect(disk.space()).rejects.toMatchObject(MOVED);
    expect(await readdir(parent)).toEqual(['data.away']);
    // One that has its name since belongs to others.
    await mkdir(folder);
    await expect(disk.open('new/file', { create: true })).rejects.toMatchObject(MOVED);
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test('is used again when it is back', async () => {
    const lock = await disk.lock('LOCK');
    await rename(folder, `${folder}.away`);
    await expect(disk.open('file', { create: true })).rejects.toMatchObject(MOVED);
    await rename(`${folder}.away`, folder);
    await (await disk.open('file', { create: true })).close();
    await lock.release();
    await (await disk.lock('LOCK')).release();
  });
});
