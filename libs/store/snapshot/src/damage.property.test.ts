import { expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { below, isTidemarkError } from '@tidemark/ports';
import { createSnapshot, listSnapshots, restoreSnapshot, TableDigests, verifySnapshot } from './index.ts';
import { contentOf, ModelDatabase } from './testing/model-database.ts';
import { PREFIX, SnapshotWorld } from './testing/snapshot-world.ts';

const DAMAGES = 150;
const seed = testSeed();

test(`damage of any object is never restored, and always a named error (TIDEMARK_TEST_SEED=${seed})`, async () => {
  const world = new SnapshotWorld({ seed, maxLatencyMs: 0.01 });
  const { random, objects } = world;
  const database = new ModelDatabase('database-1', random.fork('database'));
  const process = world.start(world.newDisk());
  const { store, disk } = process;
  let id = '';
  for (const offset of [10, 20]) {
    database.change();
    const checkpoint = await world.run(process, database.checkpoint(disk, `checkpoint-${offset}`));
    const facts = { storeFormat: 9, logId: 'log-1', offset, stateHashes: [{ bucket: '1', hash: 'a' }] };
    const created = createSnapshot(store, checkpoint, facts, { digests: new TableDigests() });
    id = (await world.run(process, created)).manifest.id;
  }
  let refused = 0;
  for (let i = 0; i < DAMAGES; i++) {
    const keys = objects.keys().filter((key) => !key.endsWith('removals.json'));
    const key = keys[below(random, keys.length)];
    const whole = objects.peek(key) ?? new Uint8Array();
    const damaged = Buffer.from(
      whole.subarray(0, random.next() < 0.3 ? below(random, whole.length + 1) : whole.length),
    );
    for (let flips = below(random, 4); flips > 0 && damaged.length > 0; flips--) {
      damaged[below(random, damaged.length)] ^= 1 << below(random, 8);
    }
    // As damage that the object store finds by its own checksum, and as content that was written so.
    if (random.next() < 0.5) objects.damage(key, damaged);
    else objects.poke(key, damaged);
    const folder = `restored-${i}`;
    try {
      await world.run(process, restoreSnapshot(store, id, { disk, folder }));
    } catch (error) {
      expect(isTidemarkError(error, 'data_loss')).toBe(true);
      refused++;
    }
    const found = await world.run(process, contentOf(disk, folder));
    if (found.size > 0) expect(found).toEqual(database.content);
    await world.run(process, listSnapshots(store));
    const verified = await world.run(process, verifySnapshot(store, id)).catch((error: unknown) => error);
    const isSound = !(verified instanceof Error) && (verified as { wrong: unknown[] }).wrong.length === 0;
    expect(isSound).toBe(found.size > 0);
    if (verified instanceof Error) expect(isTidemarkError(verified, 'data_loss')).toBe(true);
    objects.poke(key, whole);
  }
  expect(refused).toBeGreaterThan(DAMAGES / 4);
  expect(objects.keys().every((key) => key.startsWith(PREFIX))).toBe(true);
});
