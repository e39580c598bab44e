import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { manifestDamage } from './check-files.ts';
import { BLOCK_BYTES, recordsOf } from './record-frames.ts';
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

test('zeros within a record are damage, unless nothing follows them', () => {
  const last = [...recordsOf(wal)].at(-1);
  const zeros = Buffer.from(wal).fill(0, BLOCK_BYTES, 2 * BLOCK_BYTES);
  expect([...recordsOf(zeros)].at(-1)).toEqual({ at: last?.at, what: 'a part of a record is missing' });
  // A power cut may leave the size of a file without its last blocks.
  const cut = Buffer.from(wal).fill(0, BLOCK_BYTES);
  expect([...recordsOf(cut)]).toEqual([...recordsOf(wal)].slice(0, -1));
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

test('a database with zeros within a record of its write-ahead log says where it ends', async () => {
  const copy = `${path}-zeros`;
  const running = await openRocksDb(path);
  try {
    await running.write([{ key: Buffer.from('large'), value: Buffer.alloc(70_000, 'three') }]);
    await cp(path, copy, { recursive: true });
  } finally {
    await running.close();
  }
  const [log] = (await readdir(copy))
    .filter((name) => name.endsWith('.log'))
    .sort()
    .reverse();
  const bytes = await readFile(join(copy, log));
  await writeFile(join(copy, log), bytes.fill(0, BLOCK_BYTES, 2 * BLOCK_BYTES));
  const database = await openRocksDb(copy);
  const value = Buffer.from((await database.get(Buffer.from('large'))) ?? []);
  await database.close();
  await rm(copy, { recursive: true });
  expect([value.equals(Buffer.alloc(70_000, 'two')), database.walDamage]).toEqual([
    true,
    { file: log, offset: 0, what: 'a part of a record is missing' },
  ]);
});
