import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { askDoctor } from './process/ask-doctor.ts';
import { eventually } from './process/eventually.ts';
import { metricOf } from './process/metric-of.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
/** Two starts of a platform and one of the doctor, on a machine that may be busy. */
const TEST_MS = 120_000;
afterEach(() => harness.clear());

const GONE = 1;
/** One metric of each partition. */
const [other, gone] = [0, 1].map((partition) => metricOf(partition, 'flow'));

interface Removal {
  readonly topic: 'points' | 'tags';
  readonly ending: 'kill9' | 'stop';
  readonly folders: readonly string[];
}

const REMOVALS: Readonly<Record<string, Removal>> = {
  'the log of tags is gone before its store has committed': {
    topic: 'tags',
    ending: 'kill9',
    folders: [`log/tags/${GONE}`],
  },
  'the log of tags and its store are gone': {
    topic: 'tags',
    ending: 'stop',
    folders: [`log/tags/${GONE}`, `tags/${GONE}`],
  },
  'the log of points and its store are gone': {
    topic: 'points',
    ending: 'stop',
    folders: [`log/points/${GONE}`, `points/${GONE}`],
  },
};

test.each(Object.entries(REMOVALS))(
  'when %s, the partition halts, and answers say so before and after a skip',
  async (_, { topic, ending, folders }) => {
    const folder = await harness.folder();
    const first = await harness.platform({ folder });
    const fromMs = Math.floor(Date.now() / 1000) * 1000;
    await send(first, ['old:yes']);
    await first.queryComplete(`sum:${gone}{*}`, fromMs, Date.now());
    await first[ending]();
    for (const one of folders) await rm(join(folder, one), { recursive: true });

    const platform = await harness.platform({ folder });
    const startedMs = Date.now();
    // New definitions take the log that was made again beyond the offsets that the former one had.
    for (let i = 0; i < 5; i++) await send(platform, [`new:${i}`]);
    const halted = expect.stringContaining(`log/${topic}/${GONE} was gone at a start`);
    await eventually('the store to halt', async () => (await positionOf(platform, topic)).haltedOffset === 0);
    expect(await positionOf(platform, topic)).toMatchObject({ halted });
    const lost = expect.stringMatching(new RegExp(`^the log lost records: log/${topic}/${GONE} is gone`));
    expect(platform.events).toContainEqual(expect.objectContaining({ level: 'error', message: lost }));
    const { findings } = await askDoctor('--address', platform.grpcAddress);
    const found = findings.find(({ kind }) => kind === 'partition-halted');
    expect(found).toMatchObject({
      what: expect.stringMatching(new RegExp(`^${topic}/${GONE} is halted at offset 0: `)),
      means: expect.stringMatching(/they name the gap/),
      next: expect.stringMatching(/restore the folder that the reason names/),
    });
    const held = await platform.query(`sum:${gone}{*}`, fromMs, Date.now());
    expect(held.gaps).toMatchObject([{ topic, partition: GONE, offset: 0 }]);
    expect(held.completeThroughMs ?? 0).toBeLessThanOrEqual(startedMs);

    await platform.skip(topic, GONE, 0, 'the folder is gone');
    const after = await platform.queryComplete(`sum:${gone}{*} by {new}`, fromMs, Date.now());
    expect(after.gaps).toMatchObject([{ topic, partition: GONE, offset: 0, reason: 'the folder is gone' }]);
    expect((await platform.query(`sum:${other}{*}`, fromMs, Date.now())).gaps).toEqual([]);
    expect(after.series.length).toBeGreaterThanOrEqual(5);
  },
  TEST_MS,
);

/** Sends a count of each metric by a new client, and waits for the acknowledgements. */
async function send(platform: PlatformUnderTest, tags: readonly string[]): Promise<void> {
  const client = await harness.client(platform.grpcAddress);
  for (const metric of [other, gone]) client.count(metric, 1, [...tags]);
  client.flush();
  await client.settled();
  await client.close();
}

async function positionOf(platform: PlatformUnderTest, topic: 'points' | 'tags') {
  return (await platform.status())[topic][GONE];
}
