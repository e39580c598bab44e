import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { damageOf } from './check-files.ts';
import { openRocksDb } from './rocksdb-key-value.ts';

let path: string;
let manifest: string;
let wal: string;

beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), 'tidemark-frames-'));
  // The second start writes a table, which the manifest names.
  for (const value of ['one', 'two']) {
    const database = await openRocksDb(path);
    await database.write([{ key: Buffer.from('key'), value: Buffer.from(value) }]);
    // More than a block of the file.
    await database.write([{ key: Buffer.from('large'), value: Buffer.alloc(70_000, value) }]);
    await database.close();
  }
  const names = await readdir(path);
  manifest = join(path, (await readFile(join(path, 'CURRENT'), 'latin1')).trimEnd());
  wal = join(path, names.find((name) => name.endsWith('.log')) ?? '');
});

afterAll(() => rm(path, { recursive: true, force: true }));

test('files that RocksDB wrote are not damaged, wherever a crash has cut them', async () => {
  const whole = await readFile(manifest);
  for (let size = 0; size <= whole.length; size++) expect(damageOf(whole.subarray(0, size), true)).toBeUndefined();
  const log = await readFile(wal);
  expect(log.length).toBeGreaterThan(70_000);
  for (let size = 0; size <= log.length; size += 111) expect(damageOf(log.subarray(0, size), false)).toBeUndefined();
});

test('every flipped bit of a manifest is damage', async () => {
  const whole = await readFile(manifest);
  const missed: string[] = [];
  for (let at = 0; at < whole.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[at] ^= 1 << bit;
      if (damageOf(bytes, true) === undefined) missed.push(`${at}.${bit}`);
    }
  }
  expect(missed).toEqual([]);
});

test('a database in whose manifest a part became one of a reused file is refused with file and offset', async () => {
  const whole = await readFile(manifest);
  const bytes = Buffer.from(whole);
  const second = 7 + bytes.readUInt16LE(4);
  bytes[second + 6] ^= 4;
  await writeFile(manifest, bytes);
  await expect(openRocksDb(path)).rejects.toMatchObject({
    code: 'data_loss',
    message: expect.stringContaining(`${manifest} is damaged at offset ${second}: a part of type 5`),
  });
  await writeFile(manifest, whole);
  const database = await openRocksDb(path);
  expect(Buffer.from((await database.get(Buffer.from('key'))) ?? []).toString()).toBe('two');
  await database.close();
});
