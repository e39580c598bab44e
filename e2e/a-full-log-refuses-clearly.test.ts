import { afterEach, expect, test } from '@jest/globals';
import type { Client } from '@tidemark/client';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

const METRIC = 'app.noise';
const MIB = 2 ** 20;
/** Short, so that a lane that can't append ends soon and is replaced. */
const TIMING = { appendMs: 500 };

/** Values that do not compress. */
function fill(client: Client, batches: number, points: number): { sum: number; points: number } {
  let sum = 0;
  const startMs = Date.now();
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < points; i++) {
      const value = 1 + Math.floor(Math.random() * 2 ** 30);
      sum += value;
      client.count(METRIC, value, [`batch:${batch}`], startMs - i);
    }
    client.flush();
  }
  return { sum, points: batches * points };
}

async function found(platform: PlatformUnderTest, fromMs: number): Promise<{ sum: number; points: number }> {
  const toMs = Date.now();
  const total = async (fold: string): Promise<number> => {
    const { series } = await platform.queryComplete(`sum:${METRIC}{*}.rollup(${fold}, 60)`, fromMs, toMs);
    return series.flatMap(({ values }) => values).reduce((a, b) => a + b, 0);
  };
  return { sum: await total('sum'), points: await total('count') };
}

test('a full log is reported, clients keep their points, and all points arrive when there is space again', async () => {
  const folder = await harness.folder();
  const full = await harness.platform({ folder, timing: TIMING, log: { maxBytes: MIB / 2, segmentBytes: 64 * 1024 } });
  const { grpcPort } = full;
  const client = await harness.client(full.grpcAddress, { spoolFolder: await harness.folder() });
  const fromMs = Date.now() - 60_000;
  const sent = fill(client, 40, 4000);
  const { ackedPoints } = await eventually('the log to be full', () => {
    const stats = client.stats();
    return stats.ackedPoints > 0 && full.events.some(({ detail }) => saysFull(detail.reason)) && stats;
  });
  expect(ackedPoints).toBeLessThan(sent.points);
  const refusal = await eventually('a refusal with its reason', () => client.lastError);
  expect(refusal).toMatchObject({
    message: expect.stringMatching(/the log has used all of its bytes.*retry/),
    detail: { field: 'log' },
  });

  // Queries return the accepted points.
  const { series } = await full.query(`sum:${METRIC}{*}.rollup(count, 60)`, fromMs, Date.now());
  expect(series.flatMap(({ values }) => values).reduce((a, b) => a + b, 0)).toBeGreaterThanOrEqual(ackedPoints);

  await full.stop();
  const roomy = await harness.platform({ folder, grpcPort, timing: TIMING });
  await client.settled();
  expect(client.stats()).toMatchObject({ ackedPoints: sent.points, rejectedPoints: 0, droppedPoints: 0 });
  expect(await found(roomy, fromMs)).toEqual(sent);
});

test('a full disk is reported, and no point is lost or counted twice', async () => {
  const folder = await harness.folder();
  // No file may grow beyond this, and one segment would.
  const largestFileBytes = MIB;
  const full = await harness.platform(
    { folder, timing: TIMING, log: { segmentBytes: 64 * MIB } },
    { largestFileBytes },
  );
  const { grpcPort } = full;
  const client = await harness.client(full.grpcAddress, { spoolFolder: await harness.folder() });
  const fromMs = Date.now() - 60_000;
  const sent = fill(client, 80, 4000);
  await eventually('the disk to be full', () => full.events.some(({ detail }) => saysFull(detail.reason)));
  const { ackedPoints } = client.stats();
  expect(ackedPoints).toBeLessThan(sent.points);
  const { series } = await full.query(`sum:${METRIC}{*}.rollup(count, 60)`, fromMs, Date.now());
  expect(series.flatMap(({ values }) => values).reduce((a, b) => a + b, 0)).toBeGreaterThanOrEqual(ackedPoints);

  await full.kill9();
  const roomy = await harness.platform({ folder, grpcPort, timing: TIMING });
  await client.settled();
  expect(client.stats()).toMatchObject({ ackedPoints: sent.points, rejectedPoints: 0, droppedPoints: 0 });
  expect(await found(roomy, fromMs)).toEqual(sent);
});

/** A full disk is made by `prlimit`, which other systems don't have. */
const onLinux = process.platform === 'linux' ? test : test.skip;

onLinux(
  'a request to a full disk is refused at once, the process is not ready meanwhile, and recovers by itself',
  async () => {
    const platform = await harness.platform({ log: { segmentBytes: 64 * MIB } }, { largestFileBytes: MIB });
    const client = await harness.client(platform.grpcAddress);
    fill(client, 80, 4000);
    const isReady = async () => (await fetch(`${platform.httpUrl}/readyz`)).ok;
    const post = async (value: number) => {
      const points = Array.from({ length: 500 }, (_, i) => [Math.floor(Date.now() / 1000) - i, value]);
      const body = JSON.stringify({ series: [{ metric: 'app.posted', points, type: 'count' }] });
      const headers = { 'content-type': 'application/json', 'dd-api-key': 'any' };
      const startMs = performance.now();
      const { status } = await fetch(`${platform.httpUrl}/api/v1/series`, { method: 'POST', headers, body });
      return { status, tookMs: performance.now() - startMs };
    };
    await eventually('a request to be refused', async () => (await post(1)).status === 503);
    // Below the 15 s after which a lane gives up on a log that does not answer.
    expect((await post(1)).tookMs).toBeLessThan(10_000);
    const reply = await fetch(`${platform.httpUrl}/readyz`);
    expect([reply.status, await reply.text()]).toEqual([
      503,
      expect.stringMatching(
        /can't append to .*EFBIG.* bytes of that disk are free: raise the limit on the size of files/,
      ),
    ]);
    await client.close();

    await platform.liftFileLimit();
    await eventually('a request to be accepted', async () => (await post(1000)).status === 202);
    await eventually('the platform to be ready', isReady);
  },
);

function saysFull(reason: unknown): boolean {
  return typeof reason === 'string' && /full|too large|EFBIG|ENOSPC/.test(reason);
}
