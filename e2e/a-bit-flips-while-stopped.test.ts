import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { evenMap, metricId, partitionOf } from '@tidemark/model';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

const PARTITION = 1;
const METRIC = metricOf(PARTITION);

function metricOf(partition: number): string {
  for (let i = 0; ; i++) {
    const metric = `bits.m${i}`;
    if (partitionOf(evenMap(2), metricId('default', metric)) === partition) return metric;
  }
}

/** Sends counts of one each, in records of their own. */
async function send(platform: PlatformUnderTest, count: number, tag: string): Promise<void> {
  const client = await harness.client(platform.grpcAddress);
  for (let i = 0; i < count; i++) {
    client.count(METRIC, 1, [`${tag}:${i}`]);
    client.flush();
    await client.settled();
  }
  await client.close();
}

function logFolder(folder: string, topic: 'points' | 'tags'): string {
  return join(folder, 'log', topic, String(PARTITION));
}

/** Changes the last segment of the log of the partition. */
async function damage(folder: string, topic: 'points' | 'tags', change: (bytes: Buffer) => Buffer): Promise<void> {
  const files = await readdir(logFolder(folder, topic));
  const path = join(
    logFolder(folder, topic),
    files
      .filter((name) => name.endsWith('.segment'))
      .sort()
      .at(-1) ?? '',
  );
  await writeFile(path, change(await readFile(path)));
}

function flipNearEnd(bytes: Buffer): Buffer {
  bytes[bytes.length - 20] ^= 1;
  return bytes;
}

/** Positions of the records of a segment. */
function recordsOf(bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf('TREC'); at >= 0; at = bytes.indexOf('TREC', at + 1)) found.push(at);
  return found;
}

async function totalOf(platform: PlatformUnderTest, fromMs: number, filter = '*') {
  const answer = await platform.queryComplete(`sum:${METRIC}{${filter}}.rollup(sum, 60)`, fromMs, Date.now());
  const total = answer.series.flatMap(({ values }) => values).reduce((sum, value) => sum + value, 0);
  return { total, gaps: answer.gaps };
}

test.each(['points', 'tags'] as const)(
  'a bit of the last record of %s, which its store has read, costs nothing',
  async (topic) => {
    const folder = await harness.folder();
    const fromMs = Date.now();
    const platform = await harness.platform({ folder });
    await send(platform, 3, 'old');
    await platform.stop();
    await damage(folder, topic, flipNearEnd);

    const again = await harness.platform({ folder });
    await send(again, 5, 'new');
    expect(await totalOf(again, fromMs)).toEqual({ total: 8, gaps: [] });
    expect(await totalOf(again, fromMs, 'new:*')).toEqual({ total: 5, gaps: [] });
  },
);

test('one skip passes all records that the log has lost, and what follows is not lost', async () => {
  const folder = await harness.folder();
  const fromMs = Date.now();
  const platform = await harness.platform({ folder });
  await send(platform, 6, 'old');
  await platform.stop();
  // The store has to read everything again, and four records can no longer be found.
  await rename(join(folder, 'points', String(PARTITION)), join(folder, 'moved'));
  await damage(folder, 'points', (bytes) => {
    const records = recordsOf(bytes);
    for (const at of records.slice(2, 6)) bytes[at + 20] ^= 1;
    return bytes;
  });

  const again = await harness.platform({ folder });
  await send(again, 5, 'new');
  const haltOf = async () => (await again.status()).points[PARTITION];
  await eventually('the store to halt', async () => (await haltOf()).halted !== '');
  const { haltedOffset } = await haltOf();
  expect(haltedOffset).toBe(2);
  await again.skip('points', PARTITION, haltedOffset, 'bit rot');
  const after = await totalOf(again, fromMs);
  expect(after.gaps).toEqual([{ topic: 'points', partition: PARTITION, offset: 2, reason: 'bit rot', records: 4 }]);
  expect(after.total).toBeGreaterThanOrEqual(5 + 2);
  expect((await totalOf(again, fromMs, 'new:*')).total).toBe(5);
  expect(await haltOf()).toMatchObject({ halted: '', gaps: after.gaps });
});

test('a log that lost its end gives no offset to a second record', async () => {
  const folder = await harness.folder();
  const fromMs = Date.now();
  const platform = await harness.platform({ folder });
  await send(platform, 6, 'old');
  await platform.stop();
  for (const topic of ['points', 'tags'] as const) {
    await damage(folder, topic, (bytes) => bytes.subarray(0, recordsOf(bytes)[3]));
    // Without the mark only the stores know how far the log went.
    await writeFile(join(logFolder(folder, topic), 'SYNCED'), '');
  }
  const again = await harness.platform({ folder });
  await send(again, 5, 'new');
  expect(await totalOf(again, fromMs)).toEqual({ total: 11, gaps: [] });
  expect(again.events.filter(({ message }) => message.startsWith('the log lost records')).length).toBe(2);
});

test('a log that is not the one that the stores have read halts them, and no skip passes that', async () => {
  const [folder, other] = [await harness.folder(), await harness.folder()];
  for (const data of [folder, other]) {
    const platform = await harness.platform({ folder: data });
    await send(platform, 4, 'old');
    await platform.stop();
  }
  await rename(join(folder, 'log', 'points'), join(folder, 'moved'));
  await rename(join(other, 'log', 'points'), join(folder, 'log', 'points'));
  const again = await harness.platform({ folder });
  await eventually('the store to halt', async () => (await again.status()).points[PARTITION].halted !== '');
  const { halted, haltedOffset } = (await again.status()).points[PARTITION];
  expect(halted).toContain('the log is not the one that this store has read');
  expect(haltedOffset).toBe(-1);
});
