import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import type { Client } from '@tidemark/client';
import { eventually } from './process/eventually.ts';
import { metricOf } from './process/metric-of.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

const HALTED = 1;
/** One metric of each partition. */
const [healthy, stuck] = [0, 1].map((partition) => metricOf(partition, 'flow'));

const DAMAGED = {
  'a record whose checksum is wrong': Buffer.concat([Buffer.from('TDMB'), Buffer.alloc(120, 1)]),
  'a record of an unknown version': Buffer.concat([Buffer.from('TDMB'), Buffer.from([99]), Buffer.alloc(100)]),
  'bytes without the form of a record': Buffer.from('not a block'),
};

test.each(Object.entries(DAMAGED))('%s', async (_, damaged) => {
  const platform = await harness.platform();
  const client = await harness.client(platform.grpcAddress);
  const fromMs = Math.floor(Date.now() / 1000) * 1000;
  await send(client, 1);
  await platform.queryComplete(`sum:${stuck}{*}`, fromMs, Date.now());
  const offset = await platform.append('points', HALTED, damaged);
  const damagedMs = Date.now();
  await send(client, 2);

  // The status and the events report the halt with its offset.
  await eventually('the partition to halt', async () => (await haltOf(platform)).haltedOffset === offset);
  const { halted, offset: next } = await haltOf(platform);
  expect(halted).not.toBe('');
  expect(next).toBe(offset);
  expect(platform.events).toContainEqual({
    level: 'error',
    message: `points/${HALTED} is halted at offset ${offset}`,
    detail: { reason: halted },
  });

  // The other partition continues. The halted one never claims to be complete beyond the damage.
  const other = await platform.queryComplete(`sum:${healthy}{*}.rollup(sum, 60)`, fromMs, Date.now());
  expect(total(other)).toBe(3);
  const held = await platform.query(`sum:${stuck}{*}.rollup(sum, 60)`, fromMs, Date.now());
  expect(total(held)).toBe(1);
  expect(held.completeThroughMs ?? 0).toBeLessThanOrEqual(damagedMs);
  // Late points may be from before that time, so the answer also says that later records are missing.
  const reason = expect.stringContaining('halted, later records are not read');
  expect(held.gaps).toEqual([{ topic: 'points', partition: HALTED, offset, reason, records: expect.any(Number) }]);
  expect(held.gaps[0].records).toBeGreaterThanOrEqual(1);

  // Only the record that halted the partition can be skipped.
  await expect(platform.skip('points', HALTED, offset - 1, 'slip')).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringContaining(`halted at offset ${offset}`),
  });
  await expect(platform.skip('points', 0, 0, 'slip')).rejects.toMatchObject({ code: 'failed_precondition' });

  await platform.skip('points', HALTED, offset, 'bit rot, ticket 7');
  const after = await platform.queryComplete(`sum:${stuck}{*}.rollup(sum, 60)`, fromMs, Date.now());
  expect(total(after)).toBe(3);
  const gap = { topic: 'points', partition: HALTED, offset, reason: 'bit rot, ticket 7', records: 1 };
  expect(after.gaps).toEqual([gap]);
  const status = await haltOf(platform);
  expect(status).toMatchObject({ halted: '', gaps: [gap] });
  expect((await platform.query(`sum:${healthy}{*}`, fromMs, Date.now())).gaps).toEqual([]);
});

test('a partition that is halted for too long accepts no points until it continues', async () => {
  const platform = await harness.platform({ intake: { haltedMs: 0 } });
  const client = await harness.client(platform.grpcAddress);
  const fromMs = Math.floor(Date.now() / 1000) * 1000;
  await send(client, 1);
  const offset = await platform.append('points', HALTED, Buffer.from('not a block'));
  await eventually('the partition to halt', async () => (await haltOf(platform)).haltedOffset === offset);
  client.count(healthy, 2);
  client.flush();
  await client.settled();
  let accepted = 0;
  const post = (metric: string) =>
    fetch(`${platform.httpUrl}/api/v2/series`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ series: [{ metric, type: 1, points: [{ timestamp: Date.now() / 1000, value: 4 }] }] }),
    });
  expect((await post(healthy)).status).toBe(202);
  // The coordinator learns of halts within seconds.
  const refusal = await eventually('the intake to refuse points', async () => {
    const reply = await post(stuck);
    if (reply.status === 503) return reply.text();
    accepted++;
    return undefined;
  });
  expect(refusal).toContain('points/1: its stores have been halted for too long');
  client.count(stuck, 2);
  client.flush();
  await platform.skip('points', HALTED, offset, 'bit rot');
  await client.settled();
  const after = await platform.queryComplete(`sum:${stuck}{*}.rollup(sum, 60)`, fromMs, Date.now());
  expect(total(after)).toBe(3 + 4 * accepted);
});

test('a damaged record of tags delays the answers of its partition until the record is skipped', async () => {
  const platform = await harness.platform();
  const client = await harness.client(platform.grpcAddress);
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
  expect(held.gaps).toMatchObject([{ topic: 'tags', partition: HALTED, offset }]);

  await platform.skip('tags', HALTED, offset, 'bit rot');
  const after = await platform.queryComplete(`sum:${stuck}{*}.rollup(sum, 60)`, fromMs, Date.now());
  expect(total(after)).toBe(7);
  expect(await platform.tags(stuck)).toEqual(['fresh:yes']);
});

test('a skipped record of tags that defined series is a gap in every answer it may be missing from', async () => {
  const folder = await harness.folder();
  const platform = await harness.platform({ folder });
  const client = await harness.client(platform.grpcAddress);
  const fromMs = Math.floor(Date.now() / 1000) * 1000;
  await send(client, 1);
  await platform.queryComplete(`sum:${stuck}{*}`, fromMs, Date.now());
  // The halt stops the store before the record, so the store reads and skips it after the restart.
  const first = await platform.append('tags', HALTED, Buffer.from('not a block of facts'));
  client.count(stuck, 4, ['lost:yes']);
  await send(client, 0);
  const last = await platform.append('tags', HALTED, Buffer.from('nor is this'));
  expect(last - first).toBe(2);
  await client.close();
  await platform.stop();
  const [segment] = await readdir(join(folder, 'log', 'tags', String(HALTED)));
  await flipByteOf(join(folder, 'log', 'tags', String(HALTED), segment), 'lost:yes');

  const again = await harness.platform({ folder });
  for (let offset = first; offset <= last; offset++) {
    await eventually('the tag store to halt', async () => (await tagHaltOf(again)).haltedOffset === offset);
    await again.skip('tags', HALTED, offset, `rot ${offset}`);
  }
  const after = await again.queryComplete(`sum:${stuck}{*}.rollup(sum, 60)`, fromMs, Date.now());
  const gaps = [0, 1, 2].map((i) => ({
    topic: 'tags',
    partition: HALTED,
    offset: first + i,
    reason: `rot ${first + i}`,
    records: 1,
  }));
  expect(total(after)).toBe(1);
  expect(after.gaps).toEqual(gaps);
  expect(await tagHaltOf(again)).toMatchObject({ halted: '', gaps });
  expect((await again.query(`sum:${healthy}{*}`, fromMs, Date.now())).gaps).toEqual([]);
});

/** Damages a file at the last occurrence of `text`. */
async function flipByteOf(path: string, text: string): Promise<void> {
  const content = await readFile(path);
  const at = content.lastIndexOf(text);
  expect(at).toBeGreaterThan(0);
  content[at] ^= 1;
  await writeFile(path, content);
}

/** Sends a count of each metric and waits for the acknowledgements. */
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
