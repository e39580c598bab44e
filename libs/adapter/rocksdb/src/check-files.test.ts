import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { manifestDamage } from './check-files.ts';
import { recordsOf } from './record-frames.ts';
import { openRocksDb } from './rocksdb-key-value.ts';

let path: string;
let manifest: string;
/** A write-ahead file of the open database. */
let wal: Buffer;

beforeAll(async () => {
  path = await mkdtemp(join(tmpdir(), 'tidemark-frames-'));
  // The second start writes a table, which the manifest names.
  for (const value of ['one', 'two']) {
    const database = await openRocksDb(path);
    await database.write([{ key: Buffer.from('key'), value: Buffer.from(value) }]);
    // More than a block of the file.
    await database.write([{ key: Buffer.from('large'), value: Buffer.alloc(70_000, value) }]);
    const log = (await readdir(path))
      .filter((name) => name.endsWith('.log'))
      .sort()
      .at(-1);
    wal = await readFile(join(path, log ?? ''));
    await database.close();
  }
  manifest = join(path, (await readFile(join(path, 'CURRENT'), 'latin1')).trimEnd());
});

afterAll(() => rm(path, { recursive: true, force: true }));

test('files that RocksDB wrote are not damaged, wherever a crash has cut them', async () => {
  const whole = await readFile(manifest);
  for (let size = 0; size <= whole.length; size++) expect(manifestDamage(whole.subarray(0, size))).toBeUndefined();
  expect(wal.length).toBeGreaterThan(70_000);
  for (let size = 0; size <= wal.length; size += 111) {
    expect([...recordsOf(wal.subarray(0, size))].filter((record) => 'what' in record)).toEqual([]);
  }
});

test('every flipped bit of a manifest is damage', async () => {
  const whole = await readFile(manifest);
  const missed: string[] = [];
  for (let at = 0; at < whole.length; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const bytes = Buffer.from(whole);
      bytes[at] ^= 1 << bit;
      if (manifestDamage(bytes) === undefined) missed.push(`${at}.${bit}`);
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

test('a folder whose CURRENT is gone is refused, and does not become an empty database', async () => {
  const current = join(path, 'CURRENT');
  const content = await readFile(current);
  await rm(current);
  const text = `${current} is missing, although there is `;
  await expect(openRocksDb(path)).rejects.toMatchObject({ code: 'data_loss', message: expect.stringContaining(text) });
  await writeFile(current, content);
  const database = await openRocksDb(path);
  expect(Buffer.from((await database.get(Buffer.from('key'))) ?? []).toString()).toBe('two');
  await database.close();
});
