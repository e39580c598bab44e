import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import type { Gap, PartitionStateHash } from '@tidemark/contract';
import { type EmbeddedLog, openEmbeddedLog } from '@tidemark/embedded-log';
import type { ConsumedState } from '@tidemark/log-consumer';
import { LocalDisk, SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '@tidemark/point-store';
import { isTidemarkError, type Topic } from '@tidemark/ports';
import { openRocksDb } from '@tidemark/rocksdb';
import { SeededRandom } from '@tidemark/simulation';
import { TagPartition } from '@tidemark/tag-store';
import { eventually } from './process/eventually.ts';
import { ExpectedCounts } from './process/expected-counts.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

const PARTITIONS = 2;
const LATENESS_MS = 300;
const DAMAGED = 1;
/** The width of buckets must be equal in all replicas; the interval of commits may differ. */
const BUCKETS = { commitStepMs: 1000, bucketMs: 2000 };

test('a second replica that reads the whole log from its start has the same state at the same offset', async () => {
  const folder = await harness.folder();
  const settings = { folder, latenessMs: LATENESS_MS, points: { ...BUCKETS, commitRows: 500 } };
  const random = new SeededRandom(11);
  let platform = await harness.platform(settings);
  const { grpcPort } = platform;
  const client = await harness.client(platform.grpcAddress, { spoolFolder: await harness.folder() });
  const counts = new ExpectedCounts('app.load', 30, random);
  const load = async (rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      counts.record(client);
      for (let i = 0; i < 50; i++) client.distribution('app.latency', random.next(), [`host:${i % 3}`]);
      // Late on arrival at any watermark.
      client.gauge('app.late', round, [], Date.now() - 5000);
      client.flush();
      await client.settled();
    }
  };

  await load(10);
  const offset = await platform.append('points', DAMAGED, Buffer.from('no record'));
  await eventually('the partition to halt', async () => {
    const { points } = await platform.status();
    return points[DAMAGED].haltedOffset === offset;
  });
  await platform.skip('points', DAMAGED, offset, 'damaged on purpose');
  await load(10);
  await platform.kill9();
  platform = await harness.platform({ ...settings, grpcPort });
  await load(10);
  expect(await counts.differences(platform)).toEqual([]);

  const { points } = await platform.status();
  expect(points[DAMAGED].gaps).toEqual([
    { partition: DAMAGED, offset, reason: 'damaged on purpose', topic: 'points', records: 1 },
  ]);
  const hashes = await platform.stateHashes();
  await platform.kill9();

  const log = await openEmbeddedLog({
    disk: new LocalDisk(join(folder, 'log')),
    clock: new SystemClock(),
    random: new SystemRandom(),
    partitions: { points: PARTITIONS, tags: PARTITIONS, control: 1, windows: 0 },
  });
  harness.onClear(() => log.close());
  const fresh = await harness.folder();
  for (const hash of hashes) {
    expect((await log.bounds('points', hash.partition)).first).toBe(0);
    const replica = await replicaOf(log, fresh, hash, points[hash.partition].gaps);
    expect(replica).toEqual({ pointsHash: hash.pointsHash, tagsHash: hash.tagsHash });
  }
});

/** Returns the hashes of new stores that have read the log up to `upTo`. */
async function replicaOf(log: EmbeddedLog, folder: string, upTo: PartitionStateHash, gaps: readonly Gap[]) {
  const { partition } = upTo;
  const open = async (name: string) => {
    const keyValue = await openRocksDb(join(folder, `${name}-${partition}`));
    harness.onClear(() => keyValue.close());
    return keyValue;
  };
  const points = await PointPartition.open({
    partition,
    keyValue: await open('points'),
    limits: { ...DEFAULT_POINT_STORE_LIMITS, ...BUCKETS, commitRows: 77 },
    latenessMs: () => LATENESS_MS,
  });
  await replay(log, 'points', partition, points, upTo.pointsOffset, gaps);
  const tags = await TagPartition.open({ keyValue: await open('tags') });
  await replay(log, 'tags', partition, tags, upTo.tagsOffset, []);
  return { pointsHash: await points.stateHash(), tagsHash: tags.status().stateHash };
}

async function replay(
  log: EmbeddedLog,
  topic: Topic,
  partition: number,
  state: ConsumedState,
  end: number,
  gaps: readonly Gap[],
): Promise<void> {
  while (state.nextOffset < end) {
    const records = await log.read(topic, partition, state.nextOffset, { maxBytes: 100_000, waitMs: 0 });
    expect(records.length).toBeGreaterThan(0);
    for (const record of records) {
      if (state.nextOffset === end) return;
      try {
        state.apply(record);
      } catch (error) {
        const gap = gaps.find((one) => one.offset === record.offset);
        if (!isTidemarkError(error, 'data_loss') || gap === undefined) throw error;
        state.skip(gap.reason, { records: 1, record });
        // Only records before it were missing.
        if (state.nextOffset === record.offset) state.apply(record);
      }
      if (state.wantsCommit) await state.commit();
    }
  }
}
