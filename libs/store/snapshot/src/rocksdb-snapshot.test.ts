import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openLocalObjects } from '@tidemark/folder-objects';
import { LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { openRocksDb, type RocksDbKeyValue, verifyTables } from '@tidemark/rocksdb';
import {
  collectSnapshots,
  createSnapshot,
  listSnapshots,
  restoreSnapshot,
  SnapshotStore,
  TableDigests,
  verifySnapshot,
} from './index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const ALL = { from: bytes('a'), to: bytes('z') };
const FACTS = { storeFormat: 9, logId: 'log-1', watermarkMs: 1000, stateHashes: [{ bucket: '0', hash: 'abc' }] };

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidemark-snapshot-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('a database is restored from its newest snapshot, and a second snapshot uploads only new tables', async () => {
  const disk = new LocalDisk(folder);
  const objects = openLocalObjects(join(folder, 'objects'));
  const parts = { objects, clock: new SystemClock(), random: new SystemRandom(), user: 'store-1' };
  const store = new SnapshotStore({ ...parts, place: { kind: 'points', partition: 3 } });
  const digests = new TableDigests();
  const database = await openRocksDb(join(folder, 'db'));
  const snapshotOf = async (offset: number, known = digests) => {
    const name = `checkpoint-${offset}`;
    const files = await database.checkpoint(join(folder, name));
    const checkpoint = {
      ...{ disk, folder: name, files, database: 'database-1' },
      verifyTables: (names: ReadonlySet<string>) => verifyTables(join(folder, name), names),
    };
    return createSnapshot(store, checkpoint, { ...FACTS, offset }, { digests: known });
  };
  await database.write(entriesOf(0, 2000));
  const first = await snapshotOf(2000);
  expect(first.reusedBytes).toBe(0);
  await database.write(entriesOf(2000, 2010));
  const second = await snapshotOf(2010);
  expect(second.base).toBe(first.manifest.id);
  expect(second.reusedBytes).toBeGreaterThan(first.uploadedBytes / 2);
  expect(second.uploadedBytes).toBeLessThan(first.uploadedBytes / 2);
  // A table that was damaged on the disk is not taken for a new one.
  const [table] = (await readdir(join(folder, 'db'))).filter((name) => name.endsWith('.sst'));
  const whole = await readFile(join(folder, 'db', table));
  const damaged = Buffer.from(whole);
  damaged[100] ^= 1;
  await writeFile(join(folder, 'db', table), damaged);
  await expect(snapshotOf(2011, new TableDigests())).rejects.toMatchObject({ code: 'data_loss' });
  expect((await listSnapshots(store)).snapshots).toHaveLength(2);
  await writeFile(join(folder, 'db', table), whole);
  const expected = await contentOf(database);
  await database.close();

  const { snapshots, unreadable, removing } = await listSnapshots(store);
  expect([snapshots, unreadable, removing]).toEqual([[first.manifest, second.manifest], [], []]);
  // An empty folder is taken.
  await mkdir(join(folder, 'restored'));
  const progress: number[][] = [];
  const onProgress = (...figures: [number, number]) => void progress.push(figures);
  await restoreSnapshot(store, second.manifest.id, { disk, folder: 'restored' }, { onProgress });
  expect(progress.at(-1)).toEqual([second.uploadedBytes + second.reusedBytes, progress[0][1]]);
  const restored = await openRocksDb(join(folder, 'restored'));
  expect(await contentOf(restored)).toEqual(expected);
  await restored.close();
  expect(await readdir(folder)).not.toContain('restored.restoring');
  const again = restoreSnapshot(store, first.manifest.id, { disk, folder: 'restored' });
  await expect(again).rejects.toMatchObject({ code: 'failed_precondition', detail: { folder: 'restored' } });
  const { wrong } = await verifySnapshot(store, second.manifest.id);
  expect(wrong).toEqual([]);
  const retention = { logId: 'log-1', keep: 1, keepMs: 0, nowMs: Date.now() + 1000 };
  const { removed, deletedFiles } = await collectSnapshots(store, retention);
  expect([removed, deletedFiles > 0]).toEqual([[first.manifest.id], true]);
  expect((await verifySnapshot(store, second.manifest.id)).wrong).toEqual([]);
  // Pins and marks are gone.
  const objectKeys = await readdir(join(folder, 'objects/objects/snapshots/points-3'));
  expect(objectKeys.sort()).toEqual(['files', 'manifests', 'removals.json']);
  await objects.close();
});

test.each([
  ['was cut', false, (stored: Buffer) => stored.subarray(0, 200)],
  ['has a wrong byte, when it is read again', true, (stored: Buffer) => Buffer.from(stored).fill(1, 100, 101)],
])('a reused object that %s is not in the next snapshot', async (_, isReadAgain, broken) => {
  const disk = new LocalDisk(folder);
  const objects = openLocalObjects(join(folder, 'objects'));
  const system = new SystemRandom();
  const random = { next: () => (isReadAgain ? 0 : 0.99), bytes: (length: number) => system.bytes(length) };
  const place = { kind: 'points', partition: 3 } as const;
  const store = new SnapshotStore({ objects, place, clock: new SystemClock(), random, user: 'store-1' });
  const database = await openRocksDb(join(folder, 'db'));
  const snapshotAt = async (offset: number) => {
    await database.write(entriesOf(offset, offset + 10));
    const name = `checkpoint-${offset}`;
    const files = await database.checkpoint(join(folder, name));
    const checkpoint = {
      ...{ disk, folder: name, files, database: 'database-1' },
      verifyTables: async () => undefined,
    };
    return createSnapshot(store, checkpoint, { ...FACTS, offset }, { digests: new TableDigests() });
  };
  const first = await snapshotAt(10);
  const table = first.manifest.files.find(({ name }) => name.endsWith('.sst'));
  const key = `snapshots/points-3/files/${table?.sha256}-${table?.upload}.sst`;
  const path = join(folder, 'objects/objects', key);
  await writeFile(path, broken(await readFile(path)));
  const second = await snapshotAt(20);
  expect([second.base, second.damaged]).toEqual([first.manifest.id, [key]]);
  expect((await verifySnapshot(store, second.manifest.id)).wrong).toEqual([]);
  expect((await verifySnapshot(store, first.manifest.id)).wrong).toHaveLength(1);
  await database.close();
  await objects.close();
});

function entriesOf(from: number, to: number): { key: Uint8Array; value: Uint8Array }[] {
  return Array.from({ length: to - from }, (_, i) => ({
    key: bytes(`key ${String(from + i).padStart(6, '0')}`),
    value: bytes(`value ${from + i}`.repeat(20)),
  }));
}

async function contentOf(database: RocksDbKeyValue): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { key, value } of database.entries(ALL)) {
    found.set(Buffer.from(key).toString(), Buffer.from(value).toString());
  }
  return found;
}
