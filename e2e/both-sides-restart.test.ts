import { afterEach, expect, test } from '@jest/globals';
import { ClientUnderTest } from './process/client-under-test.ts';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

const METRIC = 'app.sales';
/** Max time between two writes of a spool. */
const STILL_MS = 300;

test('points that were spooled while the platform was down arrive once after both sides were killed and restarted', async () => {
  const folder = await harness.folder();
  const spoolFolder = await harness.folder();
  const first = await harness.platform({ folder });
  const { grpcPort, grpcAddress: address } = first;
  const fromMs = Math.floor(Date.now() / 1000) * 1000;
  let sent = 0;
  let sum = 0;
  const startClient = (): ClientUnderTest => {
    const client = new ClientUnderTest({ address, spoolFolder });
    harness.onClear(() => client.kill9());
    return client;
  };
  const send = async (client: ClientUnderTest, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      sent++;
      sum += sent * sent;
      await client.count(METRIC, sent * sent, fromMs + sent);
    }
  };
  /** Waits until the spool has all points, and no acknowledgement is on its way; returns the number of its points. */
  const spooled = async (client: ClientUnderTest): Promise<number> => {
    let sizeBytes = -1;
    let sinceMs = 0;
    return eventually('the spool to have everything', async () => {
      const { pendingPoints, spoolBytes, spooledPoints, gatheredPoints } = await client.stats();
      if (spoolBytes !== sizeBytes) sinceMs = performance.now();
      sizeBytes = spoolBytes;
      const isComplete = gatheredPoints === 0 && spooledPoints === pendingPoints;
      return isComplete && performance.now() - sinceMs > STILL_MS && pendingPoints;
    });
  };

  // Some are acknowledged. Then the platform dies, perhaps after it accepted others without an acknowledgement.
  const one = startClient();
  await send(one, 20);
  await eventually('some to be acknowledged', async () => (await one.stats()).ackedPoints > 0);
  await Promise.all([send(one, 20), first.kill9()]);
  await send(one, 20);
  const left = await spooled(one);
  expect(left).toBeGreaterThanOrEqual(20);
  expect((await one.stats()).ackedPoints).toBe(sent - left);
  await one.kill9();

  // A second run on the same spool finds no platform, adds its own points, and is killed too.
  const two = startClient();
  await send(two, 20);
  expect(await spooled(two)).toBe(left + 20);
  expect(await two.stats()).toMatchObject({ recoveredPoints: left, points: 20 });
  await two.kill9();

  const platform = await harness.platform({ folder, grpcPort });
  const three = startClient();
  await send(three, 20);
  await eventually('everything to be acknowledged', async () => (await three.stats()).ackedPoints === left + 40);
  expect(await three.stats()).toMatchObject({
    recoveredPoints: left + 20,
    pendingPoints: 0,
    droppedPoints: 0,
    indeterminatePoints: 0,
  });

  const toMs = Date.now();
  const total = async (fold: string): Promise<number> => {
    const { series } = await platform.queryComplete(`sum:${METRIC}{*}.rollup(${fold}, 60)`, fromMs, toMs);
    return series.flatMap(({ values }) => values).reduce((a, b) => a + b, 0);
  };
  expect(await total('count')).toBe(sent);
  expect(await total('sum')).toBe(sum);
  expect(await storedPoints(platform)).toBe(sent);

  await three.kill9();
  await platform.stop();
  const again = await harness.platform({ folder, grpcPort });
  expect(await storedPoints(again)).toBe(sent);
  const four = startClient();
  await eventually('the spool to be empty', async () => {
    const { recoveredPoints, pendingPoints } = await four.stats();
    return recoveredPoints === 0 && pendingPoints === 0;
  });
});

async function storedPoints(platform: PlatformUnderTest): Promise<number> {
  const { points } = await platform.status();
  return points.reduce((sum, partition) => sum + partition.points, 0);
}
