import { beforeEach, expect, test } from '@jest/globals';
import { isTidemarkError, type ObjectStore, TidemarkError } from '@tidemark/ports';
import {
  collectSnapshots,
  createSnapshot,
  listSnapshots,
  newestSnapshot,
  PIN_MS,
  PIN_RENEW_MS,
  readManifest,
  restoreSnapshot,
  SnapshotStore,
  TableDigests,
  verifySnapshot,
} from './index.ts';
import { RANGE_BYTES } from './object-chunks.ts';
import { pinSnapshot } from './pinned-snapshot.ts';
import { contentOf, ModelDatabase } from './testing/model-database.ts';
import { PLACE, PREFIX, type SnapshotProcess, SnapshotWorld } from './testing/snapshot-world.ts';

let world: SnapshotWorld;
let database: ModelDatabase;
let process: SnapshotProcess;
const digests = new TableDigests();

beforeEach(() => {
  world = new SnapshotWorld({ seed: 1 });
  database = new ModelDatabase('database-1', world.random.fork('database'));
  process = world.start(world.newDisk());
});

/** Changes the database, and makes a snapshot of it. */
async function created(offset: number, options: { signal?: AbortSignal } = {}) {
  database.change();
  const checkpoint = await world.run(process, database.checkpoint(process.disk, `checkpoint-${offset}`));
  const facts = { storeFormat: 9, logId: 'log-1', offset, stateHashes: [] };
  return world.run(process, createSnapshot(process.store, checkpoint, facts, { digests, ...options }));
}

function restored(id: string, folder: string) {
  return world.run(process, restoreSnapshot(process.store, id, { disk: process.disk, folder }));
}

function collected(keep: number, other = process) {
  const nowMs = world.clock.wallMs() + 1;
  return world.run(other, collectSnapshots(other.store, { logId: 'log-1', keep, keepMs: 0, nowMs }));
}

const keyOf = (id: string): string => `${PREFIX}manifests/${id}.json`;

test('only files that the newest snapshot lacks are uploaded, and their bytes are counted', async () => {
  const first = await created(10);
  expect([first.base, first.reusedBytes]).toEqual([undefined, 0]);
  const files = world.keys('files/');
  const second = await created(20);
  expect(second.base).toBe(first.manifest.id);
  const added = world.keys('files/').filter((key) => !files.includes(key));
  const bytesOf = (keys: string[]) =>
    keys.reduce((sum, key) => sum + (world.objects.peek(PREFIX + key)?.length ?? 0), 0);
  expect(second.uploadedBytes).toBe(bytesOf(added));
  expect(second.uploadedBytes + second.reusedBytes).toBe(
    second.manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  expect(second.reusedBytes).toBeGreaterThan(0);
});

test('a reused object that is gone, or has another size, is uploaded again', async () => {
  const first = await created(10);
  const table = first.manifest.files.find(({ name }) => name.endsWith('.sst'));
  const key = world.keys('files/').find((one) => one.includes(`${table?.sha256}`));
  world.objects.delete([`${PREFIX}${key}`]);
  const second = await created(20);
  expect(second.manifest.files.find(({ name }) => name === table?.name)?.upload).not.toBe(table?.upload);
  expect((await world.run(process, verifySnapshot(process.store, second.manifest.id))).wrong).toEqual([]);
});

test('files of damaged bytes in the checkpoint, or of another size, make no snapshot', async () => {
  database.change();
  const checkpoint = await world.run(process, database.checkpoint(process.disk, 'checkpoint'));
  const files = checkpoint.files.map((file) => ({ ...file, bytes: file.bytes + 1 }));
  const facts = { storeFormat: 9, logId: 'log-1', offset: 1, stateHashes: [] };
  const running = world.run(process, createSnapshot(process.store, { ...checkpoint, files }, facts, { digests }));
  await expect(running).rejects.toMatchObject({ code: 'failed_precondition' });
  expect([...world.keys('manifests/'), ...world.keys('pins/'), ...world.keys('renewed/')]).toEqual([]);
});

test('facts and names beyond a limit are refused before anything is put', async () => {
  const checkpoint = await world.run(process, database.checkpoint(process.disk, 'checkpoint'));
  const facts = { storeFormat: 9, logId: '', offset: 1, stateHashes: [] };
  const running = world.run(process, createSnapshot(process.store, checkpoint, facts, { digests }));
  await expect(running).rejects.toMatchObject({ code: 'invalid_argument', detail: { field: 'logId' } });
  expect(world.keys()).toEqual([]);
  for (const partition of [-1, 1.5, 1_000_000]) {
    expect(() => new SnapshotStore({ ...process.store, place: { kind: 'tags', partition } })).toThrow(
      /partition of a snapshot/,
    );
  }
});

test('damaged, newer and foreign manifests are listed with their error, and hide no others', async () => {
  const ids: string[] = [];
  for (const offset of [10, 20, 30]) ids.push((await created(offset)).manifest.id);
  world.objects.damage(keyOf(ids[2]), Buffer.from('damaged'));
  const foreign = '0000000000000040-0123456789abcdef';
  world.objects.poke(keyOf(foreign), world.objects.peek(keyOf(ids[1])) ?? new Uint8Array());
  world.objects.poke(`${PREFIX}manifests/other.json`, new Uint8Array());
  const { snapshots, unreadable, removing } = await world.run(process, listSnapshots(process.store));
  expect([snapshots.map(({ id }) => id), removing]).toEqual([ids.slice(0, 2), []]);
  expect(unreadable.map(({ id, error }) => [id, error.code, error.detail.reason])).toEqual([
    [ids[2], 'data_loss', undefined],
    [foreign, 'failed_precondition', 'foreign'],
    [undefined, 'invalid_argument', undefined],
  ]);
  const { snapshot, skipped } = await world.run(process, newestSnapshot(process.store));
  expect([snapshot?.id, skipped.map(({ id }) => id)]).toEqual([ids[1], [undefined, foreign, ids[2]]]);
  const other = await world.run(process, newestSnapshot(process.store, { logId: 'log-2' }));
  expect(other.snapshot).toBeUndefined();
  await expect(world.run(process, readManifest(process.store, 'x'))).rejects.toMatchObject({
    code: 'invalid_argument',
  });
  const absent = readManifest(process.store, '0000000000000001-0123456789abcdef');
  await expect(world.run(process, absent)).rejects.toMatchObject({ code: 'not_found' });
});

test('of several snapshots at one offset, the one that was made last is the newest', async () => {
  const ids: string[] = [];
  for (let made = 0; made < 5; made++) {
    ids.push((await created(10)).manifest.id);
    await world.clock.advance(1000);
  }
  // Otherwise the order of ids would do.
  expect(ids).not.toEqual(ids.toSorted());
  const { snapshots } = await world.run(process, listSnapshots(process.store));
  expect(snapshots.map(({ id }) => id)).toEqual(ids);
  expect((await world.run(process, newestSnapshot(process.store))).snapshot?.id).toBe(ids[4]);
  expect((await collected(2)).removed).toEqual(ids.slice(0, 3).sort());
});

test('a verification finds all that is wrong, and a restore of it is refused and leaves no folder', async () => {
  await created(10);
  const { manifest } = await created(20);
  const [a, b, c, d] = manifest.files.map(({ name, sha256, upload }) => {
    return `${PREFIX}files/${sha256}-${upload}.${name.endsWith('.sst') ? 'sst' : 'dat'}`;
  });
  const sound = await world.run(process, verifySnapshot(process.store, manifest.id));
  expect(sound.wrong).toEqual([]);
  world.objects.delete([a]);
  world.objects.damage(b, Buffer.from('other'));
  const flipped = Buffer.from(world.objects.peek(c) ?? []);
  flipped[0] ^= 1;
  world.objects.damage(c, flipped);
  expect(d).toBeDefined();
  const { wrong } = await world.run(process, verifySnapshot(process.store, manifest.id));
  expect(wrong.map(({ file, error }) => [file.name, error.code, error.detail.key])).toEqual([
    [manifest.files[0].name, 'data_loss', a],
    [manifest.files[1].name, 'data_loss', b],
    [manifest.files[2].name, 'data_loss', c],
  ]);
  await expect(restored(manifest.id, 'db')).rejects.toMatchObject({ code: 'data_loss' });
  expect(await world.run(process, process.disk.list('db'))).toEqual([]);
  expect([...world.keys('pins/'), ...world.keys('renewed/')]).toEqual([]);
});

test('an interrupted restore keeps its whole files, and removes those of another snapshot', async () => {
  const { manifest } = await created(10);
  const name = manifest.files.find((file) => file.name.endsWith('.sst'))?.name ?? '';
  const [whole, other] = ['db.restoring/other', `db.restoring/${name}`];
  for (const [path, text] of [
    [whole, 'x'],
    [other, Buffer.from(database.content.get(name) ?? '', 'hex')],
  ] as const) {
    const file = await world.run(process, process.disk.open(path, { create: true }));
    await world.run(process, file.write(Buffer.from(text), 0));
  }
  // A file that is kept is not read of the store.
  const key = world.keys('files/').find((one) => one.endsWith('.sst'));
  world.objects.delete([`${PREFIX}${key}`]);
  await restored(manifest.id, 'db');
  expect(await world.run(process, contentOf(process.disk, 'db'))).toEqual(database.content);
  await expect(restored(manifest.id, 'db')).rejects.toMatchObject({ code: 'failed_precondition' });
});

test('operations end with the reason of their signal, and release their pin', async () => {
  const { manifest } = await created(10);
  const reason = new Error('stopped');
  for (let afterMs = 0; afterMs < 120; afterMs += 7) {
    const stop = new AbortController();
    world.clock.setTimer(afterMs, () => stop.abort(reason));
    const { store, disk } = process;
    const place = { disk, folder: `db-${afterMs}` };
    const running = world.run(process, restoreSnapshot(store, manifest.id, place, { signal: stop.signal }));
    await running.catch((error: unknown) => expect(error).toBe(reason));
    await world.clock.advance(100);
  }
  const failing = created(20, { signal: AbortSignal.abort(reason) });
  await expect(failing).rejects.toBe(reason);
  expect(world.keys('manifests/')).toHaveLength(1);
});

test('a collection keeps what a reader has pinned, and a later one removes it', async () => {
  const first = await created(10);
  await world.clock.advance(10);
  await created(20);
  await world.clock.advance(10);
  const reader = world.start(world.newDisk());
  const { pin } = await world.run(reader, pinSnapshot(reader.store, first.manifest.id));
  expect(await collected(1)).toMatchObject({ removed: [], pinned: [first.manifest.id], deletedFiles: 0 });
  const { snapshots, removing } = await world.run(process, listSnapshots(process.store));
  expect([snapshots.length, removing]).toEqual([1, [first.manifest.id]]);
  await expect(restored(first.manifest.id, 'db')).rejects.toMatchObject({ code: 'not_found' });
  await world.run(reader, pin.release());
  const { removed, deletedFiles, deletedBytes } = await collected(1);
  expect([removed, deletedFiles > 0, deletedBytes > 0]).toEqual([[first.manifest.id], true, true]);
  expect(world.keys('removed/')).toEqual([]);
});

test('a pin is renewed while it is in use, and revoked a day after its last renewal', async () => {
  const first = await created(10);
  await created(20);
  const reader = world.start(world.newDisk());
  const { pin } = await world.run(reader, pinSnapshot(reader.store, first.manifest.id));
  for (let hours = 0; hours < 30; hours++) {
    await world.clock.advance(PIN_RENEW_MS + 1);
    await world.run(reader, pin.keep({}));
  }
  expect((await collected(1)).pinned).toEqual([first.manifest.id]);
  await world.run(reader, pin.check({}));
  await world.clock.advance(PIN_MS + 1000);
  expect((await collected(1)).removed).toEqual([first.manifest.id]);
  await expect(world.run(reader, pin.keep({}))).rejects.toMatchObject({ code: 'aborted' });
  await expect(world.run(reader, pin.check({}))).rejects.toMatchObject({ code: 'aborted' });
  expect([...world.keys('pins/'), ...world.keys('renewed/')]).toEqual([]);
});

test('while a manifest or a pin can not be read, no file is deleted, and the collection names it', async () => {
  const ids: string[] = [];
  for (const offset of [10, 20, 30]) {
    ids.push((await created(offset)).manifest.id);
    await world.clock.advance(10);
  }
  world.objects.damage(keyOf(ids[2]), Buffer.from('damaged'));
  const blocked = await collected(1);
  expect(blocked).toMatchObject({ removed: [ids[0]], deletedFiles: 0 });
  expect(blocked.blockedBy.map(({ key }) => key)).toEqual([keyOf(ids[2])]);
  // Newer ones, so that the damaged one is beyond the count.
  for (const offset of [40, 50]) {
    await created(offset);
    await world.clock.advance(10);
  }
  expect((await collected(1)).removed).toContain(ids[2]);
  const [pin, renewal] = ['pins', 'renewed'].map((folder) => `${PREFIX}${folder}/0123456789abcdef.json`);
  for (const key of [pin, renewal]) world.objects.poke(key, Buffer.from('{}'));
  expect((await collected(1)).blockedBy.map(({ key }) => key)).toContain(renewal);
  const options = { logId: 'log-1', keep: 0, keepMs: 0, nowMs: 0 };
  const refused = await collectSnapshots(process.store, options).catch((error: unknown) => error);
  expect(isTidemarkError(refused, 'invalid_argument')).toBe(true);
  expect(process.store.place).toEqual(PLACE);
});

test('a file of many chunks and ranges is copied, with progress to its last byte', async () => {
  const bytes = 2 * RANGE_BYTES + 12_345;
  const content = Buffer.alloc(bytes, 'content of a table ');
  const file = await world.run(process, process.disk.open('checkpoint/000001.sst', { create: true }));
  await world.run(process, file.write(content, 0));
  const files = [{ name: '000001.sst', bytes, isTable: true }];
  const verified: string[] = [];
  const checkpoint = {
    ...{ disk: process.disk, folder: 'checkpoint', files, database: 'database-2' },
    verifyTables: async (names: ReadonlySet<string>) => void verified.push(...names),
  };
  const facts = { storeFormat: 9, logId: 'log-1', offset: 1, stateHashes: [] };
  const progress: [string, number, number][] = [];
  const report = (what: string) => (done: number, total: number) => void progress.push([what, done, total]);
  const creating = createSnapshot(process.store, checkpoint, facts, { digests, onProgress: report('created') });
  const { manifest, uploadedBytes } = await world.run(process, creating);
  expect(uploadedBytes).toBe(bytes);
  // A remembered table is not read again.
  await world.run(process, process.disk.remove('checkpoint'));
  const again = await world.run(
    process,
    createSnapshot(process.store, checkpoint, { ...facts, offset: 2 }, { digests }),
  );
  expect([again.uploadedBytes, again.reusedBytes]).toEqual([0, bytes]);
  expect(verified).toEqual(['000001.sst']);
  const place = { disk: process.disk, folder: 'db' };
  await world.run(process, restoreSnapshot(process.store, manifest.id, place, { onProgress: report('restored') }));
  expect((await world.run(process, contentOf(process.disk, 'db'))).get('000001.sst')).toBe(content.toString('hex'));
  for (const what of ['created', 'restored']) {
    const own = progress.filter(([one]) => one === what);
    expect(own.map(([, done]) => done)).toEqual([RANGE_BYTES, 2 * RANGE_BYTES, bytes]);
    expect(own.at(-1)).toEqual([what, bytes, bytes]);
  }
});

test('a reader that may not write restores and verifies without a pin, and an upload needs one', async () => {
  const { manifest } = await created(10);
  const { objects, clock, random } = process.store;
  const refused = (): Promise<never> => {
    return Promise.reject(new TidemarkError('permission_denied', 'mounted read-only'));
  };
  const readOnly: ObjectStore = {
    ...{ put: refused, putStream: refused, delete: refused, close: async () => undefined },
    head: (...args) => objects.head(...args),
    get: (...args) => objects.get(...args),
    getRange: (...args) => objects.getRange(...args),
    list: (...args) => objects.list(...args),
  };
  const before = world.keys('');
  const store = new SnapshotStore({ objects: readOnly, place: PLACE, clock, random, user: 'a reader' });
  expect((await world.run(process, verifySnapshot(store, manifest.id))).wrong).toEqual([]);
  await world.run(process, restoreSnapshot(store, manifest.id, { disk: process.disk, folder: 'restored' }));
  expect(await world.run(process, contentOf(process.disk, 'restored'))).toEqual(database.content);
  expect(world.keys('')).toEqual(before);
  // Of a snapshot that a collection of others removes meanwhile, nothing is damaged.
  for (const read of [
    (own: SnapshotStore, id: string) => verifySnapshot(own, id),
    (own: SnapshotStore, id: string) => restoreSnapshot(own, id, { disk: process.disk, folder: 'removed' }),
  ]) {
    const { manifest: next } = await created(20);
    const removing: ObjectStore = {
      ...readOnly,
      head: async (key, options) => {
        if (key.includes('/files/'))
          await objects.delete([keyOf(next.id), ...world.keys('files/').map((one) => PREFIX + one)]);
        return objects.head(key, options);
      },
      getRange: async (key, ...rest) => {
        await objects.delete([keyOf(next.id), key]);
        return objects.getRange(key, ...rest);
      },
    };
    const other = new SnapshotStore({ objects: removing, place: PLACE, clock, random, user: 'a reader' });
    await expect(world.run(process, Promise.resolve(read(other, next.id)))).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringMatching(/is being removed; use a newer one$/),
    });
  }
  database.change();
  const checkpoint = await world.run(process, database.checkpoint(process.disk, 'other'));
  const facts = { storeFormat: 9, logId: 'log-1', offset: 30, stateHashes: [] };
  const upload = world.run(process, createSnapshot(store, checkpoint, facts, { digests }));
  await expect(upload).rejects.toMatchObject({ code: 'permission_denied' });
});
