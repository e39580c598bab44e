import { expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { ProcessCrashed, type SimulatedDisk } from '@tidemark/simulation';
import { collectSnapshots, createSnapshot, listSnapshots, PIN_MS, restoreSnapshot, TableDigests } from './index.ts';
import { KillAt } from './testing/kill-at.ts';
import { contentOf, ModelDatabase } from './testing/model-database.ts';
import { type SnapshotProcess, SnapshotWorld } from './testing/snapshot-world.ts';

const seed = testSeed();
const RETENTION = { logId: 'log-1', keep: 1, keepMs: 0 };

/** A world with two snapshots, which share files, and their contents. */
async function worldWithSnapshots(): Promise<{ world: SnapshotWorld; database: ModelDatabase; contents: Contents }> {
  const world = new SnapshotWorld({ seed });
  const database = new ModelDatabase('database-1', world.random.fork('database'));
  const contents: Contents = new Map();
  for (const offset of [10, 20]) {
    database.change();
    const process = world.start(world.newDisk());
    const { manifest } = await world.run(process, create(process, database, offset));
    contents.set(manifest.id, database.content);
    await world.clock.advance(10);
  }
  return { world, database, contents };
}

type Contents = Map<string, Map<string, string>>;

async function create({ store, disk }: SnapshotProcess, database: ModelDatabase, offset: number) {
  const checkpoint = await database.checkpoint(disk, 'checkpoint');
  const facts = { storeFormat: 9, logId: 'log-1', offset, stateHashes: [] };
  return createSnapshot(store, checkpoint, facts, { digests: new TableDigests() });
}

/** Runs a task killed at each of its operations in turn, until one survives. Returns the number of kills. */
async function killAtEach(one: (kill: KillAt) => Promise<unknown>): Promise<number> {
  for (let at = 0; ; at++) {
    for (const isAfter of [false, true]) {
      try {
        await one(new KillAt(at, isAfter));
        return at;
      } catch (error) {
        if (!(error instanceof ProcessCrashed)) throw error;
      }
    }
  }
}

/** All listed snapshots can be restored, and have what was written. */
async function checkAll(world: SnapshotWorld, contents: Contents): Promise<void> {
  const process = world.start(world.newDisk());
  const { snapshots, unreadable } = await world.run(process, listSnapshots(process.store));
  expect(unreadable).toEqual([]);
  expect(snapshots.length).toBeGreaterThan(0);
  for (const { id } of snapshots) {
    await world.run(process, restoreSnapshot(process.store, id, { disk: process.disk, folder: id }));
    expect(await world.run(process, contentOf(process.disk, id))).toEqual(contents.get(id));
  }
}

/** After a day, a collection leaves the newest snapshot alone. */
async function checkNothingLeft(world: SnapshotWorld): Promise<void> {
  await world.clock.advance(PIN_MS + 1000);
  const process = world.start(world.newDisk());
  for (let run = 0; run < 2; run++) {
    const nowMs = world.clock.wallMs() + 1;
    await world.run(process, collectSnapshots(process.store, { ...RETENTION, nowMs }));
  }
  const { snapshots } = await world.run(process, listSnapshots(process.store));
  const named = snapshots.flatMap(({ files }) => files.map(({ sha256, upload }) => `${sha256}-${upload}`));
  expect(snapshots).toHaveLength(1);
  expect(world.keys('manifests/')).toHaveLength(1);
  expect([...world.keys('pins/'), ...world.keys('renewed/'), ...world.keys('removed/')]).toEqual([]);
  expect(world.keys('files/').map((key) => key.slice('files/'.length, -'.sst'.length))).toEqual(
    [...new Set(named)].sort(),
  );
}

test(`a crash of an upload leaves the snapshots before, and the next one succeeds (TIDEMARK_TEST_SEED=${seed})`, async () => {
  const kills = await killAtEach(async (kill) => {
    const { world, database, contents } = await worldWithSnapshots();
    database.change();
    const killed = world.start(world.newDisk(), kill.wrap);
    const before = new Set(world.keys('manifests/'));
    try {
      await world.run(killed, create(killed, database, 30));
    } finally {
      await world.clock.advance(100);
      for (const key of world.keys('manifests/')) {
        if (!before.has(key)) contents.set(key.slice('manifests/'.length, -'.json'.length), database.content);
      }
      await checkAll(world, contents);
      const next = world.start(world.newDisk());
      const { manifest } = await world.run(next, create(next, database, 40));
      contents.set(manifest.id, database.content);
      await checkAll(world, contents);
      await checkNothingLeft(world);
    }
  });
  expect(kills).toBeGreaterThan(30);
});

test(`a crash of a collection leaves whole snapshots, and the next one removes the rest (TIDEMARK_TEST_SEED=${seed})`, async () => {
  const kills = await killAtEach(async (kill) => {
    const { world, contents } = await worldWithSnapshots();
    const killed = world.start(world.newDisk(), kill.wrap);
    try {
      await world.run(killed, collectSnapshots(killed.store, { ...RETENTION, nowMs: world.clock.wallMs() + 1 }));
    } finally {
      await world.clock.advance(100);
      await checkAll(world, contents);
      await checkNothingLeft(world);
    }
  });
  expect(kills).toBeGreaterThan(10);
});

for (const crash of ['process', 'power'] as const) {
  test(`a crash of a restore leaves no folder or the whole one: ${crash} (TIDEMARK_TEST_SEED=${seed})`, async () => {
    const kills = await killAtEach(async (kill) => {
      const { world, contents } = await worldWithSnapshots();
      const [id] = [...contents.keys()].slice(-1);
      const disk: SimulatedDisk = world.newDisk();
      const killed = world.start(disk, kill.wrap);
      const restoreOf = ({ store, disk }: SnapshotProcess) => restoreSnapshot(store, id, { disk, folder: 'db' });
      try {
        await world.run(killed, restoreOf(killed));
      } finally {
        killed.incarnation.end();
        disk.crash(crash);
        const next = world.start(disk);
        const found = await world.run(next, contentOf(next.disk, 'db'));
        if (found.size === 0) await world.run(next, restoreOf(next));
        expect(await world.run(next, contentOf(next.disk, 'db'))).toEqual(contents.get(id));
        expect(disk.paths().filter((path) => path.includes('.restoring'))).toEqual([]);
        await checkNothingLeft(world);
      }
    });
    expect(kills).toBeGreaterThan(20);
  });
}
