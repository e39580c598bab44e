import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { MemoryKeyValue } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from './index.ts';

/** Entries by key, in hex, as docs/formats/point-store.md lays them out. A change there is a change of the format. */
const GOLDEN_FILE = new URL('point-store-v10.golden.json', import.meta.url);

test('a partition stores the golden entries of its format', async () => {
  const keyValue = new MemoryKeyValue();
  const limits = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 1_000, bucketMs: 10_000 };
  const partition = await PointPartition.open({ partition: 0, keyValue, limits, latenessMs: () => 3_000 });
  const builder = new LogBuilder();
  const gauge = { series: 0, timeMs: 1_500, value: 5 };
  builder.bare(RECORD.open, 0, 1_000);
  const scraped = [8, 12].flatMap((series) => [1_400, 1_500, 1_605].map((timeMs) => ({ series, timeMs, value: 3 })));
  const points = [gauge, { ...gauge, timeMs: 12_000, value: 0.1 }, ...scraped];
  builder.block(0, 2_000, [{ client: 0, sequence: 0, points }]);
  builder.block(0, 12_500, [{ client: 0, sequence: 1, mapEpoch: 2, points: [gauge, { ...gauge, series: 1 }] }]);
  for (const record of builder.records) {
    partition.apply(record);
    if (partition.wantsCommit) await partition.commit();
  }
  await partition.whenClosed();
  partition.skip('an example', { records: 1 });
  await partition.commit();
  const stored = Object.fromEntries([...keyValue.content].map(([key, value]) => [key, value.toString('hex')]).sort());
  const golden: Record<string, string> = JSON.parse(await readFile(GOLDEN_FILE, 'utf8'));
  expect(stored).toEqual(golden);

  const content = Object.entries(golden).map(([key, value]): [string, Buffer] => [key, Buffer.from(value, 'hex')]);
  const reader = { partition: 0, keyValue: new MemoryKeyValue(new Map(content)), limits, latenessMs: () => 3_000 };
  const reopened = await PointPartition.open(reader);
  // Pages are read again when they are needed.
  expect({ ...reopened.status, memory: [] }).toEqual({ ...partition.status, memory: [] });
  expect(await reopened.stateHash()).toBe(await partition.stateHash());
});
