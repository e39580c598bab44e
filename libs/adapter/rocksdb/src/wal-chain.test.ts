import { appendFile, cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { crc32c } from '@tidemark/bytes';
import { HEAD_BYTES, maskOf, recordsOf, WHOLE } from './record-frames.ts';
import { openRocksDb, type RocksDbKeyValue } from './rocksdb-key-value.ts';

/** Writes that `flush` has made tables of, and all writes. */
const IN_TABLES = 3;
const WRITES = 12;
const ENTRIES = 2;
/** Of the field of a manifest's edit that has the newest sequence. */
const LAST_SEQUENCE_TAG = 4;
/** Write-ahead files, the first of which has the first half of what is not in tables. */
const [OLDER, NEWER] = ['000020.log', '000021.log'];

let parent: string;
/** A database as a killed process leaves it, with its write-ahead log in two files. */
let killed: string;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'tidemark-chain-'));
  const running = join(parent, 'running');
  killed = join(parent, 'killed');
  const database = await openRocksDb(running);
  for (let i = 1; i <= WRITES; i++) {
    await database.write([
      { key: Buffer.from('newest'), value: Buffer.of(i) },
      { key: Buffer.from(`write ${i}`), value: Buffer.alloc(50, i) },
    ]);
    if (i === IN_TABLES) await database.flush();
  }
  await cp(running, killed, { recursive: true });
  await database.close();
  const [wal] = (await readdir(killed))
    .filter((name) => name.endsWith('.log'))
    .sort()
    .reverse();
  const records = [...recordsOf(await readFile(join(killed, wal)))].map((one) =>
    'bytes' in one ? one.bytes : undefined,
  );
  expect(records).toHaveLength(WRITES - IN_TABLES);
  await rm(join(killed, wal));
  const half = Math.ceil(records.length / 2);
  await writeFile(join(killed, OLDER), Buffer.concat(records.slice(0, half).map(frameOf)));
  await writeFile(join(killed, NEWER), Buffer.concat(records.slice(half).map(frameOf)));
});

afterAll(() => rm(parent, { recursive: true, force: true }));

/** A record that fits a block, as one part. */
function frameOf(record: Buffer | undefined): Buffer {
  expect(record).toBeDefined();
  const bytes = record ?? Buffer.alloc(0);
  const part = Buffer.concat([Buffer.alloc(HEAD_BYTES), bytes]);
  part.writeUInt16LE(bytes.length, 4);
  part[6] = WHOLE;
  part.writeUInt32LE(maskOf(crc32c(part.subarray(6))), 0);
  return part;
}

/** Opens a damaged copy. Returns the newest write that it has; all before it must be there, and none after it. */
async function newestOf(damage: (path: string) => Promise<void>): Promise<{ newest: number; damage: unknown }> {
  const path = join(parent, 'damaged');
  await cp(killed, path, { recursive: true });
  try {
    await damage(path);
    const database = await openRocksDb(path);
    const [newest] = (await database.get(Buffer.from('newest'))) ?? [0];
    for (let i = 1; i <= WRITES; i++) {
      const value = await database.get(Buffer.from(`write ${i}`));
      expect([i, value && Buffer.from(value)]).toEqual([i, i <= newest ? Buffer.alloc(50, i) : undefined]);
    }
    await database.close();
    // What could not be read does not come back.
    const again = await openRocksDb(path);
    expect([await again.get(Buffer.from('newest')), again.walDamage]).toEqual([Buffer.of(newest), undefined]);
    await again.close();
    return { newest, damage: database.walDamage };
  } finally {
    await rm(path, { recursive: true });
  }
}

test('a write-ahead log in two files is read as a whole', async () => {
  expect(await newestOf(async () => undefined)).toEqual({ newest: WRITES, damage: undefined });
});

test('without its first write-ahead file, a database ends at its tables and says where writes are missing', async () => {
  expect(await newestOf((path) => rm(join(path, OLDER)))).toEqual({
    newest: IN_TABLES,
    damage: { file: NEWER, offset: 0, what: expect.stringMatching(/^it has write \d+, and write 7 is missing$/) },
  });
});

test('writes that are missing are found when the manifest was written after them', async () => {
  // A flush in the background, or a compaction, notes the newest write of its time, which may be in no table.
  const noteNewest = async (path: string) => {
    const manifest = join(path, (await readFile(join(path, 'CURRENT'), 'latin1')).trimEnd());
    await appendFile(manifest, frameOf(Buffer.of(LAST_SEQUENCE_TAG, WRITES * ENTRIES)));
  };
  expect(await newestOf(noteNewest)).toEqual({ newest: WRITES, damage: undefined });
  const removed = await newestOf(async (path) => {
    await noteNewest(path);
    await rm(join(path, OLDER));
  });
  expect(removed).toEqual({ newest: IN_TABLES, damage: expect.objectContaining({ file: NEWER, offset: 0 }) });
  const { length } = await readFile(join(killed, OLDER));
  for (let size = 0; size < length; size += 37) {
    const { newest, damage } = await newestOf(async (path) => {
      await noteNewest(path);
      await truncate(join(path, OLDER), size);
    });
    expect(newest).toBeLessThan(WRITES);
    expect(damage).toMatchObject({ file: NEWER });
  }
});

test('a killed database has all its writes when those before were compacted to tables without sequences', async () => {
  const running = join(parent, 'compacted');
  const copy = join(parent, 'compacted-copy');
  const write = async (round: number): Promise<RocksDbKeyValue> => {
    const database = await openRocksDb(running);
    for (const key of ['one', 'round', 'two'])
      await database.write([{ key: Buffer.from(key), value: Buffer.of(round) }]);
    return database;
  };
  // RocksDB compacts four tables.
  for (let round = 1; round < 4; round++) await (await write(round)).close();
  const compacting = await write(4);
  await compacting.flush();
  await until(async () => (await readdir(running)).filter((name) => name.endsWith('.sst')).length === 1);
  await compacting.close();
  const database = await write(5);
  await cp(running, copy, { recursive: true });
  await database.close();
  const killedOne = await openRocksDb(copy);
  const [round] = (await killedOne.get(Buffer.from('round'))) ?? [0];
  await killedOne.close();
  expect([killedOne.walDamage, round]).toEqual([undefined, 5]);
});

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!(await isTrue())) {
    expect(performance.now()).toBeLessThan(deadlineMs);
    await setTimeout(10);
  }
}

test('without its write-ahead log, a database has what was flushed', async () => {
  const removeBoth = async (path: string) => {
    await rm(join(path, OLDER));
    await rm(join(path, NEWER));
  };
  expect((await newestOf(removeBoth)).newest).toBe(IN_TABLES);
});

test('a write-ahead file that was cut ends the database there, wherever that is', async () => {
  const { length } = await readFile(join(killed, OLDER));
  for (let size = 0; size < length; size += 37) {
    const { newest, damage } = await newestOf((path) => truncate(join(path, OLDER), size));
    expect(newest).toBeGreaterThanOrEqual(IN_TABLES);
    expect(newest).toBeLessThan(WRITES);
    expect(damage).toMatchObject({ file: NEWER });
  }
});

test('a flipped bit of a write-ahead file ends the database there, and what follows is kept under other names', async () => {
  const { length } = await readFile(join(killed, OLDER));
  for (let at = 0; at < length; at += 17) {
    const flip = async (path: string) => {
      const bytes = await readFile(join(path, OLDER));
      bytes[at] ^= 1 << (at % 8);
      await writeFile(join(path, OLDER), bytes);
    };
    const { newest, damage } = await newestOf(flip);
    expect(newest).toBeLessThan(WRITES);
    expect(damage).toBeDefined();
  }
  const path = join(parent, 'kept');
  await cp(killed, path, { recursive: true });
  await rm(join(path, OLDER));
  await (await openRocksDb(path)).close();
  expect(await readdir(path)).toContain(`${NEWER}.damaged`);
});

test('zeros in the middle of a write-ahead file end the database there', async () => {
  const zero = async (path: string) => {
    const bytes = await readFile(join(path, OLDER));
    await writeFile(join(path, OLDER), bytes.fill(0, 0, 300));
  };
  expect((await newestOf(zero)).newest).toBe(IN_TABLES);
});
