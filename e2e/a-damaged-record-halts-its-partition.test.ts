import { afterEach, expect, test } from '@jest/globals';
import type { Client } from '@tidemark/client';
import { evenMap, metricId, partitionOf } from '@tidemark/model';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestBed } from './process/test-bed.ts';

const bed = new TestBed();
afterEach(() => bed.clear());

const HALTED = 1;
/** One metric of each partition. */
const [healthy, stuck] = [0, 1].map((partition) => {
  for (let i = 0; ; i++) {
    const metric = `flow.m${i}`;
    if (partitionOf(evenMap(2), metricId('default', metric)) === partition) return metric;
  }
});

const DAMAGED = {
  'a record whose checksum is wrong': Buffer.concat([Buffer.from('TDMB'), Buffer.alloc(120, 1)]),
  'a record of an unknown version': Buffer.concat([Buffer.from('TDMB'), Buffer.from([99]), Buffer.alloc(100)]),
  'bytes that are no record at all': Buffer.from('not a block'),
};

test.each(Object.entries(DAMAGED))('%s', async (_, damaged) => {
  const platform = await bed.platform();
  const client = await bed.client(platform.grpcAddress);
  const fromMs = Math.floor(Date.now() / 1000) * 1000;
  await send(client, 1);
  await platform.queryComplete(`sum:${stuck}{*}`, fromMs, Date.now());
  const offset = await platform.append('points', HALTED, damaged);
  const damagedMs = Date.now();
  await send(client, 2);

  // It says so in the status and in its events, with the place.
  await eventually('the partition to halt', async () => (await haltOf(platform)).haltedOffset === offset);
  const { halted, offset: next } = await haltOf(platform);
  expect(halted).not.toBe('');
  expect(next).toBe(offset);
  expect(platform.events).toContainEqual({
    level: 'error',
    message: `points/${HALTED} is halted at offset ${offset}`,
    detail: { reason: halted },
  });

  // The other partition goes on; the halted one never claims to be complete beyond the damage.
  const other = await platform.queryComplete(`sum:${healthy}{*}.rollup(sum, 60)`, fromMs, Date.now());
  expect(total(other)).toBe(3);
  const held = await platform.query(`sum:${stuck}{*}.rollup(sum, 60)`, fromMs, Date.now());
  expect(total(held)).toBe(1);
  expect(held.completeThroughMs ?? 0).toBeLessThanOrEqual(damagedMs);

  // Nothing but the record that halted it can be skipped.
  await expect(platform.skip('points', HALTED, offset - 1, 'slip')).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining(`halted at offset ${offset}`),
  });
  await expect(platform.skip('points', 0, 0, 'slip')).rejects.toMatchObject({ code: 'failed_precondition' });

  await platform.skip('points', HALTED, offset, 'bit rot, ticket 7');
  const after = await platform.queryComplete(`sum:${stuck}{*}.rollup(sum, 60)`, fromMs, Date.now());
  expect(total(after)).toBe(3);
  const gap = { partition: HALTED, offset, reason: 'bit rot, ticket 7' };
  expect(after.gaps).toEqual([gap]);
  const status = await haltOf(platform);
  expect(status).toMatchObject({ halted: '', gaps: [gap] });
  expect((await platform.query(`sum:${healthy}{*}`, fromMs, Date.now())).gaps).toEqual([]);
});

test('a damaged record of tags holds the answers of its partition back until it is skipped', async () => {
  const platform = await bed.platform();
  const client = await bed.client(platform.grpcAddress);
  const fromMs = Math.floor(Date.now() / 1000) * 1000;
  await send(client, 1);
  await platform.queryComplete(`sum:${stuck}{*}`, fromMs, Date.now());
  const offset = await platform.append('tags', HALTED, Buffer.from('not a block of facts'));
  const damagedMs = Date.now();
  client.count(stuck, 4, ['fresh:yes']);
  await send(client, 2);
  await eventually('the tag store to halt', async () => (await tagHaltOf(platform)).haltedOffset === offset);

  // The new series is not known yet, so the answer may not claim to be complete.
  await eventually('the points to be stored', async () => (await haltOf(platform)).points === 3);
  const held = await platform.query(`sum:${stuck}{*}.rollup(sum, 60)`, fromMs, Date.now());
  expect(held.completeThroughMs ?? 0).toBeLessThanOrEqual(damagedMs);

  await platform.skip('tags', HALTED, offset, 'bit rot');
  const after = await platform.queryComplete(`sum:${stuck}{*}.rollup(sum, 60)`, fromMs, Date.now());
  expect(total(after)).toBe(7);
  expect(await platform.tags(stuck)).toEqual(['fresh:yes']);
});

/** A count of each metric, acknowledged. */
async function send(client: Client, value: number): Promise<void> {
  for (const metric of [healthy, stuck]) client.count(metric, value);
  client.flush();
  await client.settled();
}

async function haltOf(platform: PlatformUnderTest) {
  const { points } = await platform.status();
  return points[HALTED];
}

async function tagHaltOf(platform: PlatformUnderTest) {
  const { tags } = await platform.status();
  return tags[HALTED];
}

function total({ series }: { series: readonly { values: readonly number[] }[] }): number {
  return series.flatMap(({ values }) => values).reduce((a, b) => a + b, 0);
}
