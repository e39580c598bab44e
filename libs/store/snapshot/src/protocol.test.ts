import { beforeEach, expect, test } from '@jest/globals';
import {
  type CollectedSnapshots,
  collectSnapshots,
  createSnapshot,
  listSnapshots,
  PIN_MS,
  TableDigests,
  verifySnapshot,
} from './index.ts';
import { Gate, listDuring } from './testing/interleave.ts';
import { ModelDatabase } from './testing/model-database.ts';
import { PREFIX, type SnapshotProcess, SnapshotWorld } from './testing/snapshot-world.ts';

const MANIFESTS = `${PREFIX}manifests/`;

let world: SnapshotWorld;
let database: ModelDatabase;

beforeEach(() => {
  world = new SnapshotWorld({ seed: 1 });
  database = new ModelDatabase('database-1', world.random.fork('database'));
});

async function create({ store, disk }: SnapshotProcess, offset: number, of = database): Promise<string> {
  of.change();
  const checkpoint = await of.checkpoint(disk, `checkpoint-${offset}`);
  const facts = { storeFormat: 9, logId: 'log-1', offset, stateHashes: [] };
  return (await createSnapshot(store, checkpoint, facts, { digests: new TableDigests() })).manifest.id;
}

function collect({ store }: SnapshotProcess): Promise<CollectedSnapshots> {
  return collectSnapshots(store, { logId: 'log-1', keep: 1, keepMs: 0, nowMs: world.clock.wallMs() + 1 });
}

async function created(offset: number, of = database): Promise<string> {
  const process = world.start(world.newDisk());
  const id = await world.run(process, create(process, offset, of));
  await world.clock.advance(10);
  return id;
}

/** Begins an upload that reuses files, and stops before its manifest. */
async function uploadBeforeManifest(offset: number): Promise<{ gate: Gate; upload: Promise<string> }> {
  const gate = new Gate((method, key) => method === 'put' && key.startsWith(MANIFESTS));
  const process = world.start(world.newDisk(), gate.wrap);
  const upload = create(process, offset);
  upload.catch(() => undefined);
  await world.clock.run(() => gate.isReached, 1e9);
  return { gate, upload };
}

async function expectWhole(id: string): Promise<void> {
  const process = world.start(world.newDisk());
  expect((await world.run(process, verifySnapshot(process.store, id))).wrong).toEqual([]);
}

test('a collection keeps shared files when their last two snapshots are put and deleted during its list', async () => {
  const first = await created(10);
  const { gate, upload } = await uploadBeforeManifest(20);
  const other = world.start(world.newDisk());
  let removed: readonly string[] = [];
  // The second list is that for files; the first one finds no snapshot to remove.
  const meanwhile = async (): Promise<void> => {
    gate.open();
    await upload;
    removed = (await collect(other)).removed;
  };
  const collector = world.start(world.newDisk(), listDuring(MANIFESTS, 2, meanwhile));
  await world.run(collector, collect(collector));
  expect(removed).toEqual([first]);
  await expectWhole(await upload);
});

test('a collection keeps the files of a marked snapshot that another collection deletes during its list', async () => {
  const first = await created(10);
  const { gate, upload } = await uploadBeforeManifest(20);
  await created(30, new ModelDatabase('database-2', world.random.fork('database 2')));
  // The other collection has marked and announced.
  const pinsGate = new Gate((method, prefix) => method === 'list' && prefix === `${PREFIX}pins/`);
  const other = world.start(world.newDisk(), pinsGate.wrap);
  const collecting = collect(other);
  await world.clock.run(() => pinsGate.isReached, 1e9);
  let removed: readonly string[] = [];
  const meanwhile = async (): Promise<void> => {
    gate.open();
    await upload;
    pinsGate.open();
    removed = (await collecting).removed;
  };
  const collector = world.start(world.newDisk(), listDuring(MANIFESTS, 2, meanwhile));
  expect(await world.run(collector, collect(collector))).toMatchObject({ pinned: [first], isInterrupted: false });
  expect(removed).toEqual([first]);
  await expectWhole(await upload);
});

test('an upload that was stopped for a day before its manifest fails, and its snapshot is not used', async () => {
  await created(10);
  const { gate, upload } = await uploadBeforeManifest(20);
  await world.clock.advance(PIN_MS + 1000);
  const collector = world.start(world.newDisk());
  expect((await world.run(collector, collect(collector))).deletedFiles).toBeGreaterThan(0);
  gate.open();
  await world.clock.advance(1000);
  await expect(upload).rejects.toMatchObject({ code: 'aborted' });
  const { snapshots, removing } = await world.run(collector, listSnapshots(collector.store));
  expect([snapshots.length, removing.length]).toEqual([1, 1]);
  await world.run(collector, collect(collector));
  expect([...world.keys('removed/'), ...world.keys('pins/'), ...world.keys('renewed/')]).toEqual([]);
  expect(world.keys('manifests/')).toHaveLength(1);
});

test('an upload whose pin was revoked during a stream fails at once', async () => {
  const gate = new Gate((method) => method === 'putStream');
  const process = world.start(world.newDisk(), gate.wrap);
  const upload = create(process, 10);
  upload.catch(() => undefined);
  await world.clock.run(() => gate.isReached, 1e9);
  await world.clock.advance(PIN_MS + 1000);
  const collector = world.start(world.newDisk());
  await world.run(collector, collect(collector));
  gate.open();
  const startMs = world.clock.monotonicMs();
  await expect(world.run(process, upload)).rejects.toMatchObject({ code: 'aborted', detail: { reason: 'revoked' } });
  // Without the pauses of retries.
  expect(world.clock.monotonicMs() - startMs).toBeLessThan(200);
});
