import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openRocksDb } from './rocksdb-key-value.ts';
import { verifyTables } from './verify-tables.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-verify-tables-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A checkpoint of two tables of 100 entries of 1 KB each, of the keys `a…` and `b…`. Returns the names of the tables. */
async function makeCheckpoint(to: string): Promise<string[]> {
  const store = await openRocksDb(join(folder, 'db'));
  for (const first of ['a', 'b']) {
    const entries = Array.from({ length: 100 }, (_, i) => ({
      key: Buffer.from(`${first}${String(i).padStart(3, '0')}`),
      value: Buffer.alloc(1000, i),
    }));
    await store.write(entries);
    await store.flush();
  }
  const files = await store.checkpoint(to);
  await store.close();
  return files.filter(({ isTable }) => isTable).map(({ name }) => name);
}

test('whole tables are read to their last entry, and damage of any block of them is found', async () => {
  const path = join(folder, 'checkpoint');
  const tables = await makeCheckpoint(path);
  expect(tables).toHaveLength(2);
  let read = 0;
  const onRead = async (bytes: number): Promise<void> => {
    read += bytes;
  };
  await verifyTables(path, new Set(tables), { onRead });
  expect(read).toBe(2 * 100 * 1004);
  for (const at of [10, 50_000, 99_000]) {
    const file = join(path, tables[1]);
    const bytes = await readFile(file);
    // The tables are links to those of the database.
    const damaged = Buffer.from(bytes);
    damaged[at] ^= 1;
    await writeFile(file, damaged);
    await expect(verifyTables(path, new Set(tables))).rejects.toMatchObject({ code: 'data_loss' });
    await expect(verifyTables(path, new Set([tables[1]]))).rejects.toMatchObject({ code: 'data_loss' });
    // Of a table that was not asked for the first block is read at most.
    if (at > 10_000) await verifyTables(path, new Set([tables[0]]));
    await writeFile(file, bytes);
  }
  await verifyTables(path, new Set(tables));
});

test('ends when its signal aborts', async () => {
  const path = join(folder, 'checkpoint');
  const tables = await makeCheckpoint(path);
  const abort = new AbortController();
  const verified = verifyTables(path, new Set(tables), {
    signal: abort.signal,
    onRead: async () => abort.abort(new Error('enough')),
  });
  await expect(verified).rejects.toThrow('enough');
});
