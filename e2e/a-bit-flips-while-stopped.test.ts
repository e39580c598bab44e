import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { eventually } from './process/eventually.ts';
import { metricOf } from './process/metric-of.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

const PARTITION = 1;
const METRIC = metricOf(PARTITION, 'bits');

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

/** Stops that are tried: the record that closes the lane is written while the stores stop, which may not read it. */
const STOPS = 5;

/** Whether the store of points halts at the damaged record, because it had not read it; false once it has read on. */
async function stopsAtRecord(platform: PlatformUnderTest): Promise<boolean> {
  const query = `sum:${METRIC}{new:*}.rollup(sum, 60)`;
  const { isHalted } = await eventually('the store to read on, or to halt', async () => {
    if ((await platform.status()).points[PARTITION].halted !== '') return { isHalted: true };
    const { series } = await platform.query(query, Date.now() - 120_000, Date.now());
    return series.length > 0 && { isHalted: false };
  });
  return isHalted;
}

/**
 * A platform that was started again after `damageAll` of its data folder, and has `count` new points. Its store of points had read
 * all records before the stop: others are stopped and forgotten.
 */
async function damagedAfterReading(
  damageAll: (folder: string) => Promise<void>,
  count: { readonly old: number; readonly new: number },
): Promise<{ readonly again: PlatformUnderTest; readonly fromMs: number }> {
  for (let attempt = 1; attempt <= STOPS; attempt++) {
    const folder = await harness.folder();
    const fromMs = Date.now();
    const platform = await harness.platform({ folder });
    await send(platform, count.old, 'old');
    await totalOf(platform, fromMs);
    await platform.stop();
    await damageAll(folder);
    const again = await harness.platform({ folder });
    await send(again, count.new, 'new');
    if (!(await stopsAtRecord(again))) return { again, fromMs };
    await again.stop();
  }
  throw new Error(`the store had not read the last record before any of ${STOPS} stops`);
}

test.each(['points', 'tags'] as const)(
  'a bit of the last record of %s, which its store has read, costs nothing',
  async (topic) => {
    const flip = (folder: string) => damage(folder, topic, flipNearEnd);
    const { again, fromMs } = await damagedAfterReading(flip, { old: 3, new: 5 });
    expect(await totalOf(again, fromMs)).toEqual({ total: 8, gaps: [] });
    expect(await totalOf(again, fromMs, 'new:*')).toEqual({ total: 5, gaps: [] });
  },
);

/** The end of the log has the record that closes the lane. */
const LOST: readonly (readonly [what: string, from: number, to: number | undefined])[] = [
  ['in the middle', 2, 6],
  ['at the end', -3, undefined],
];

test.each(LOST)(
  'one skip passes all records that the log has lost %s, and what follows counts',
  async (_, from, to) => {
    const folder = await harness.folder();
    const fromMs = Date.now();
    const platform = await harness.platform({ folder });
    await send(platform, 6, 'old');
    await platform.stop();
    // The store has to read everything again.
    await rename(join(folder, 'points', String(PARTITION)), join(folder, 'moved'));
    let offset = 0;
    let records = 0;
    await damage(folder, 'points', (bytes) => {
      const lost = recordsOf(bytes).slice(from, to);
      for (const at of lost) bytes[at + 20] ^= 1;
      offset = recordsOf(bytes).indexOf(lost[0]);
      records = lost.length;
      return bytes;
    });

    const again = await harness.platform({ folder });
    await send(again, 5, 'new');
    const haltOf = async () => (await again.status()).points[PARTITION];
    await eventually('the store to halt', async () => (await haltOf()).halted !== '');
    expect((await haltOf()).haltedOffset).toBe(offset);
    await again.skip('points', PARTITION, offset, 'bit rot');
    const after = await totalOf(again, fromMs);
    expect(after.gaps).toEqual([{ topic: 'points', partition: PARTITION, offset, reason: 'bit rot', records }]);
    expect(after.total).toBeGreaterThanOrEqual(5 + 2);
    expect((await totalOf(again, fromMs, 'new:*')).total).toBe(5);
    expect(await haltOf()).toMatchObject({ halted: '', gaps: after.gaps });
  },
);

test.each([
  // Without the mark only the stores know how far the log went.
  ['and its marks', true],
  ['alone', false],
])('a log that lost its end %s gives no offset to a second record, and says so', async (_, isUnmarked) => {
  const cut = async (folder: string) => {
    for (const topic of ['points', 'tags'] as const) {
      await damage(folder, topic, (bytes) => bytes.subarray(0, recordsOf(bytes)[3]));
      if (isUnmarked) await writeFile(join(logFolder(folder, topic), 'SYNCED'), '');
    }
  };
  const { again, fromMs } = await damagedAfterReading(cut, { old: 6, new: 5 });
  expect(await totalOf(again, fromMs)).toEqual({ total: 11, gaps: [] });
  expect(again.events.filter(({ message }) => message.startsWith('the log lost records')).length).toBe(2);
});

/** Two data folders with points, of which the first one gets `part` of the log of the second one. */
async function withLogOfAnother(part: string): Promise<string> {
  const [folder, other] = [await harness.folder(), await harness.folder()];
  for (const data of [folder, other]) {
    const platform = await harness.platform({ folder: data });
    await send(platform, 4, 'old');
    await platform.stop();
  }
  await rename(join(folder, part), join(folder, 'moved'));
  await rename(join(other, part), join(folder, part));
  return folder;
}

test('folders of another log are refused by name', async () => {
  const folder = await withLogOfAnother(join('log', 'points'));
  await expect(harness.platform({ folder })).rejects.toMatchObject({
    ...{
      code: 'failed_precondition',
      message: expect.stringMatching(/^log\/points\/\d+ is the folder of another log/),
    },
  });
});

test('a log that is not the one that the stores have read halts them, and no skip passes that', async () => {
  const folder = await withLogOfAnother('log');
  const again = await harness.platform({ folder });
  await eventually('the store to halt', async () => (await again.status()).points[PARTITION].halted !== '');
  const { halted, haltedOffset } = (await again.status()).points[PARTITION];
  expect(halted).toContain('the log is not the one that this store has read');
  expect(haltedOffset).toBe(-1);
});

test('a flipped bit of any kind of record of control is passed, named, and acknowledged by an operator', async () => {
  const folder = await harness.folder();
  const fromMs = Date.now();
  const platform = await harness.platform({ folder });
  await send(platform, 2, 'old');
  await platform.stop();
  const control = join(folder, 'log', 'control', '0');
  const [name] = (await readdir(control)).filter((file) => file.endsWith('.segment'));
  const whole = await readFile(join(control, name));
  const records = recordsOf(whole);
  // The claim of the term, the map, the registration of the session, a renewal or its end.
  for (const index of [0, 1, 2, records.length - 1]) {
    const bytes = Buffer.from(await readFile(join(control, name)));
    bytes[records[index] + 20] ^= 1;
    await writeFile(join(control, name), bytes);
  }
  const again = await harness.platform({ folder });
  await send(again, 3, 'new');
  expect(await totalOf(again, fromMs)).toEqual({ total: 5, gaps: [] });
  const lost = async () => (await again.health()).problems.filter(({ kind }) => kind === 'control-lost');
  await eventually('the losses to be named', async () => (await lost()).length === 2);
  expect((await lost()).map(({ part }) => part).sort()).toEqual(['offset 0', `offset ${records.length - 1}`]);
  await expect(again.skip('control', 0, 1, 'a slip')).rejects.toMatchObject({ code: 'failed_precondition' });
  for (const offset of [0, records.length - 1]) await again.skip('control', 0, offset, 'bit rot');
  await eventually('the findings to end', async () => (await lost()).length === 0);
});
