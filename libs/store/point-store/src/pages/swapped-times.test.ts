import { expect, test } from '@jest/globals';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { MemoryKeyValue } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '../index.ts';

const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 50_000, bucketMs: 100_000 };
/** More than a times record has columns. */
const HOSTS = 300;

/** A commit of two times records, whose columns have other times with the same first and last one. */
async function stored(): Promise<MemoryKeyValue> {
  const builder = new LogBuilder();
  builder.bare(RECORD.open, 0, 0);
  for (let round = 0; round < 12; round++) {
    const points = Array.from({ length: HOSTS }, (_, host) => {
      const jitterMs = round === 0 || round === 11 ? 0 : ((host >> (round - 1)) & 1) + 2 * (round % 3);
      return [0, 2].map((metric) => ({ series: 4 * host + metric, timeMs: 1000 * round + jitterMs, value: round }));
    });
    builder.block(0, 1000 * round, [{ client: 0, sequence: round, points: points.flat() }]);
  }
  const keyValue = new MemoryKeyValue();
  const partition = await open(keyValue);
  for (const record of builder.records) partition.apply(record);
  await partition.commit();
  return keyValue;
}

const open = (keyValue: MemoryKeyValue) =>
  PointPartition.open({ partition: 0, keyValue, limits: { ...LIMITS, recentBytes: 0 }, latenessMs: () => 3000 });

test('a times record in the place of another one of its commit is data_loss', async () => {
  const keyValue = await stored();
  const keys = [...keyValue.content.keys()].filter((key) => key.startsWith('12')).sort();
  expect(keys).toHaveLength(2);
  const values = keys.map((key) => keyValue.content.get(key) ?? Buffer.of());
  keyValue.content.set(keys[0], values[1]);
  keyValue.content.set(keys[1], values[0]);
  await expect((await open(keyValue)).stateHash()).rejects.toMatchObject({
    code: 'data_loss',
    message: expect.stringMatching(/times record \d+ of deal 1 of the stored bucket 0 is record \d+ of deal 1/),
  });
});
