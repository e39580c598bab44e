import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { keyValueConformance } from '@tidemark/conformance';
import type { KeyValue } from '@tidemark/ports';
import { openRocksDb } from './rocksdb-key-value.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

keyValueConformance('rocksdb', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-rocksdb-'));
  const stores = new Set<KeyValue>();
  return {
    async open(name) {
      const store = await openRocksDb(join(folder, name));
      stores.add(store);
      return store;
    },
    async dispose() {
      await Promise.all([...stores].map((store) => store.close()));
      await rm(folder, { recursive: true });
    },
  };
});

describe('RocksDbKeyValue', () => {
  let folder = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tidemark-rocksdb-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test('says how much memory unwritten tables take, which a flush gives back, and reads keep nothing', async () => {
    const store = await openRocksDb(folder, { writeBufferBytes: 64 * 2 ** 20 });
    const empty = await store.memoryBytes();
    const value = new Uint8Array(1_000_000).fill(7);
    await store.write(Array.from({ length: 16 }, (_, i) => ({ key: bytes(`key ${i}`), value })));
    expect(await store.memoryBytes()).toBeGreaterThan(empty + 16_000_000);
    await store.flush();
    for (let i = 0; i < 16; i++) expect((await store.get(bytes(`key ${i}`)))?.length).toBe(value.length);
    expect(await store.memoryBytes()).toBeLessThan(empty + 2_000_000);
    await store.close();
  });

  test('a killed process loses no resolved batch, and stores no part of a batch', async () => {
    const script = fileURLToPath(new URL('./testing/write-until-killed.ts', import.meta.url));
    const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    let acknowledged = -1;
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line);
      if (acknowledged === 300) child.kill('SIGKILL');
    }
    expect(acknowledged).toBeGreaterThanOrEqual(300);
    const store = await openRocksDb(folder);
    const values = await store.getMany([bytes('first'), bytes('second')]);
    const last = Number(text(values[0]));
    expect(last).toBeGreaterThanOrEqual(acknowledged);
    expect(text(values[1])).toBe(String(last));
    for (let i = 0; i <= last; i += 50) {
      expect((await store.get(bytes(`batch/${i}`)))?.length).toBe(10_000);
    }
    await store.close();
  });

  test('a store works in worker threads, and its folder cannot be opened twice', async () => {
    const script = new URL('./testing/open-in-worker.ts', import.meta.url);
    const workers = ['one', 'two'].map((name) => new Worker(script, { workerData: join(folder, name) }));
    const answers = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
    expect(answers).toEqual(['1000', '1000']);
    await Promise.all(workers.map((worker) => worker.terminate()));
    const store = await openRocksDb(join(folder, 'one'));
    const refused = new Worker(script, { workerData: join(folder, 'one') });
    expect((await once(refused, 'message'))[0]).toBe('failed_precondition');
    await refused.terminate();
    await store.close();
  });

  test('a write is not acknowledged while the folder is elsewhere, and is when it is back', async () => {
    const path = join(folder, 'db');
    const store = await openRocksDb(path);
    await store.write([{ key: bytes('a'), value: bytes('1') }]);
    await rename(path, `${path}.away`);
    const away = store.write([{ key: bytes('a'), value: bytes('2') }]);
    await expect(away).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('was moved') });
    await mkdir(path);
    const replaced = store.write([{ key: bytes('a'), value: bytes('3') }]);
    await expect(replaced).rejects.toMatchObject({ message: expect.stringContaining('was replaced') });
    await rmdir(path);
    await rename(`${path}.away`, path);
    await store.write([{ key: bytes('a'), value: bytes('4') }]);
    await store.close();
    const again = await openRocksDb(path);
    expect(text(await again.get(bytes('a')))).toBe('4');
    await again.close();
  });

  test('damage is data_loss, at open or at the read that finds it', async () => {
    const path = join(folder, 'db');
    const small = { writeBufferBytes: 65_536 };
    const store = await openRocksDb(path, small);
    for (let i = 0; i < 2_000; i++) {
      void store.write([{ key: bytes(`k${String(i).padStart(5, '0')}`), value: new Uint8Array(100).fill(i) }]);
    }
    await store.close();
    const tables = (await readdir(path)).filter((name) => name.endsWith('.sst'));
    expect(tables.length).toBeGreaterThan(0);
    for (const table of tables) {
      const content = await readFile(join(path, table));
      for (let i = 64; i < content.length / 2; i += 64) content[i] ^= 0xff;
      await writeFile(join(path, table), content);
    }
    const damaged = await openRocksDb(path, small);
    await expect(damaged.get(bytes('k00000'))).rejects.toMatchObject({ code: 'data_loss' });
    const scan = async () => {
      for await (const _ of damaged.entries({ from: bytes('k'), to: bytes('l') }));
    };
    await expect(scan()).rejects.toMatchObject({ code: 'data_loss' });
    await damaged.close();
    await writeFile(join(path, 'CURRENT'), 'x');
    await expect(openRocksDb(path)).rejects.toMatchObject({ code: 'data_loss' });
  });

  test('a path that is a file, or whose parent cannot be created, is refused', async () => {
    await writeFile(join(folder, 'file'), 'x');
    await expect(openRocksDb(join(folder, 'file'))).rejects.toMatchObject({ code: 'data_loss' });
    await expect(openRocksDb(join(folder, 'file', 'below'))).rejects.toMatchObject({
      ...{ code: 'failed_precondition', message: expect.stringContaining('move that file away') },
    });
  });

  test('closing ends iterations with an error, and finishes the operations in progress', async () => {
    await mkdir(folder, { recursive: true });
    const store = await openRocksDb(folder);
    const batch = Array.from({ length: 500 }, (_, i) => ({ key: bytes(`k${i}`), value: new Uint8Array(10) }));
    await store.write(batch);
    store.entries({ from: bytes('a'), to: bytes('z') });
    const iteration = store.entries({ from: bytes('a'), to: bytes('z') })[Symbol.asyncIterator]();
    await iteration.next();
    const writing = store.write([{ key: bytes('late'), value: bytes('1') }]);
    const closing = store.close();
    await writing;
    await closing;
    const rest = async () => {
      while (!(await iteration.next()).done);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'failed_precondition' });
    const again = await openRocksDb(folder);
    expect(text(await again.get(bytes('late')))).toBe('1');
    expect(await again.approximateSizeBytes(bytes('a'), bytes('z'))).toBeGreaterThan(0);
    await again.close();
  });
});
