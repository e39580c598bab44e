import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isTidemarkError } from '@tidemark/ports';
import { diskError } from './disk-error.ts';
import { LocalDisk, SystemClock, SystemRandom } from './index.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-system-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A process that locks `folder`, reports it, and waits to be killed. */
async function lockOwner(path: string) {
  const source = `
    const { LocalDisk } = await import(${JSON.stringify(new URL('./local-disk.ts', import.meta.url).href)});
    try { await new LocalDisk(process.argv[1]).lock('LOCK'); console.log('locked'); setInterval(() => {}, 1000); }
    catch (error) { console.log(error.code); }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' },
  });
  const [said] = await once(child.stdout, 'data');
  return { child, said: String(said).trim() };
}

/** Names, sizes and times of the files of a folder. */
async function statsOf(path: string): Promise<unknown[]> {
  const names = (await readdir(path)).sort();
  return Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs } = await stat(join(path, name));
      return [name, size, mtimeMs];
    }),
  );
}

describe('LocalDisk.lock', () => {
  test('a second process is refused with folder and owner, and a killed owner holds no lock', async () => {
    const path = join(folder, 'killed');
    const { child, said } = await lockOwner(path);
    expect(said).toBe('locked');
    await expect(new LocalDisk(path).lock('LOCK')).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringMatching(new RegExp(`${path}.*${child.pid}`)),
    });
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    const lock = await new LocalDisk(path).lock('LOCK');
    expect(await new LocalDisk(path).list('')).toEqual(['LOCK.2', 'LOCK.held']);
    await lock.release();
  });

  test('an owner that looks dead, as from another container, is refused all the same, and nothing is changed', async () => {
    const path = join(folder, 'elsewhere');
    const { child } = await lockOwner(path);
    await writeFile(join(path, 'LOCK.1'), JSON.stringify({ pid: 2 ** 22 + 1, start: 'in another container' }));
    const before = await statsOf(path);
    await expect(new LocalDisk(path).lock('LOCK')).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining('container'),
    });
    expect(await statsOf(path)).toEqual(before);
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    await (await new LocalDisk(path).lock('LOCK')).release();
  });

  test('one of many processes that find a dead owner wins', async () => {
    const path = join(folder, 'raced');
    const disk = new LocalDisk(path);
    await (await disk.open('LOCK.7', { create: true })).close();
    await writeFile(join(path, 'LOCK.7'), JSON.stringify({ pid: process.pid, start: 'another life' }));
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => disk.lock('LOCK')));
    expect(tries.filter((each) => each.status === 'fulfilled')).toHaveLength(1);
    for (const each of tries) {
      if (each.status === 'rejected') expect(isTidemarkError(each.reason, 'failed_precondition')).toBe(true);
    }
  });
});

test('errors of the file system get the codes of the port', () => {
  const codes = ['ENOSPC', 'EDQUOT', 'EFBIG', 'ENOENT', 'EEXIST', 'EACCES', 'EROFS', 'EIO', 'EMFILE'].map(
    (code) => diskError(Object.assign(new Error(code), { code }), 'write', 'f').code,
  );
  expect(codes).toEqual([
    'resource_exhausted',
    'resource_exhausted',
    'resource_exhausted',
    'not_found',
    'already_exists',
    'permission_denied',
    'permission_denied',
    'unavailable',
    'unavailable',
  ]);
});

test('a full disk is resource_exhausted', async () => {
  if (process.platform !== 'linux') return;
  const file = await new LocalDisk('/dev').open('full');
  await expect(file.write(Buffer.from('x'), 0)).rejects.toMatchObject({ code: 'resource_exhausted' });
  await file.close();
});

test('a path outside of the folder fails an assertion', async () => {
  await expect(new LocalDisk(folder).open('../x')).rejects.toThrow('inside of the folder');
});

test('timers fire, and a cancelled one does not', async () => {
  const clock = new SystemClock();
  const fired: string[] = [];
  const cancelled = clock.setTimer(1, () => fired.push('cancelled'));
  cancelled.cancel();
  const keepAlive = setInterval(() => {}, 1000);
  await new Promise<void>((resolve) => clock.setTimer(3, resolve));
  clearInterval(keepAlive);
  expect(fired).toEqual([]);
});

test('random numbers fill [0, 1) evenly', () => {
  const random = new SystemRandom();
  const counts = new Array(16).fill(0);
  for (let i = 0; i < 16_000; i++) counts[Math.floor(random.next() * 16)]++;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(250);
  expect(random.bytes(16)).toHaveLength(16);
});
