import { createSocket } from 'node:dgram';
import { afterEach, expect, test } from '@jest/globals';
import type { ClientStats } from '@tidemark/client';
import { AgentUnderTest } from './process/agent-under-test.ts';
import type { CountToRecord } from './process/client-messages.ts';
import { ClientUnderTest } from './process/client-under-test.ts';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

const BUDGET = 20;
const SPOOL_BYTES = 96 * 1024;

/**
 * Points of the stores, once they have read the log, and have as many as were acknowledged. Each watermark has passed the time
 * of the call: nothing that an intake took before is still on its way, as a point that is stored twice.
 */
function storedPoints(platform: PlatformUnderTest, acknowledged: number): Promise<number> {
  const nowMs = Date.now();
  return eventually(`${acknowledged} points to be stored`, async () => {
    const { points } = await platform.status();
    const stored = points.reduce((sum, partition) => sum + partition.points, 0);
    const isRead = points.every(({ watermarkMs = 0 }) => watermarkMs > nowMs);
    return isRead && stored >= acknowledged && stored;
  });
}

async function sumOf(platform: PlatformUnderTest, metric: string, fromMs: number): Promise<number> {
  const { series } = await platform.queryComplete(`sum:${metric}{*}.rollup(sum, 60)`, fromMs, Date.now());
  return series.flatMap(({ values }) => values).reduce((a, b) => a + b, 0);
}

/** What must hold at any moment. */
function expectToAddUp(stats: ClientStats): void {
  const { samples, rejectedSamples, mergedSamples, gatheredPoints, points, recoveredPoints, mergedPoints } = stats;
  const { ackedPoints, rejectedPoints, refusedPoints, droppedPoints, indeterminatePoints, pendingPoints } = stats;
  expect(rejectedSamples + mergedSamples + gatheredPoints + points).toBe(samples);
  const settled = mergedPoints + ackedPoints + rejectedPoints + refusedPoints + droppedPoints + indeterminatePoints;
  expect(settled + pendingPoints).toBe(points + recoveredPoints);
}

test('a client counts exactly what the store lacks: bad values, budgets, a full spool, and kills of both sides', async () => {
  const settings = { folder: await harness.folder(), metricSeries: BUDGET };
  let platform = await harness.platform(settings);
  const { grpcPort, grpcAddress: address } = platform;
  const spoolFolder = await harness.folder();
  const start = () => {
    const client = new ClientUnderTest({ address, spoolFolder, spoolBytes: SPOOL_BYTES });
    harness.onClear(() => client.kill9());
    return client;
  };
  let client = start();
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  const good = (i: number): CountToRecord => {
    return { metric: 'app.orders', value: 1, tags: [`id:${i % BUDGET}`], timestampMs: nowMs + (i % 1000) };
  };
  const settled = async (of: ClientUnderTest) => {
    const stats = await eventually('all points to be settled', async () => {
      const now = await of.stats();
      expectToAddUp(now);
      return now.pendingPoints === 0 && now;
    });
    return stats;
  };

  // Equal timestamps in one batch and in two, NaN, timestamps ahead, and series beyond the budget.
  const ahead = { ...good(0), timestampMs: nowMs + 3_600_000 };
  await client.countAll([good(0), good(0), good(1), { ...good(2), value: null }, ahead, ahead]);
  await client.countAll([good(0), ...Array.from({ length: BUDGET }, (_, i) => good(i))]);
  let stats = await settled(client);
  expect(stats).toMatchObject({ samples: 27, rejectedSamples: 1, mergedPoints: 3, rejectedPoints: 1, ackedPoints: 22 });
  expect(await storedPoints(platform, 22)).toBe(22);
  let over = 0;
  await eventually('a series beyond the budget', async () => {
    await client.countAll([
      { ...good(0), tags: [`new:${over}`] },
      { ...good(0), tags: [`new:${over}`] },
    ]);
    over++;
    stats = await settled(client);
    return stats.reasons.series_over_budget > 0;
  });
  expect(stats).toMatchObject({ mergedPoints: 3 + over, rejectedPoints: 2, ackedPoints: 22 + over - 1 });
  expect(await storedPoints(platform, stats.ackedPoints)).toBe(stats.ackedPoints);
  const { sessions } = await platform.status();
  expect(sessions[0].rejectedPoints).toEqual({ timestamp_ahead: 1, series_over_budget: 1 });

  // The platform is killed while points are on their way, and the spool fills up.
  const load = (count: number) => client.countAll(Array.from({ length: count }, (_, i) => good(i)));
  await Promise.all([load(50), load(50), platform.kill9()]);
  await eventually('the spool to be full', async () => {
    stats = await load(300);
    expectToAddUp(stats);
    return stats.droppedPoints > 0;
  });
  platform = await harness.platform({ ...settings, grpcPort });
  stats = await settled(client);
  const stored = await storedPoints(platform, stats.ackedPoints);
  expect(stored).toBeLessThanOrEqual(stats.ackedPoints + stats.indeterminatePoints);
  expect(await sumOf(platform, 'app.orders', nowMs - 1000)).toBeGreaterThanOrEqual(stored);
  const dropped = stats.droppedPoints + stats.indeterminatePoints;
  const { sessions: now } = await platform.status();
  const said = await eventually('the report of the client', async () => {
    const refused = (await platform.status()).sessions.flatMap((session) => session.refused);
    return refused.find(({ stage, reason }) => stage === 'client' && reason === 'spool_bound');
  });
  expect([said.count, now[0].rejectedPoints]).toEqual([dropped, {}]);

  // The client is killed with points in the spool, which its next run sends and counts.
  await platform.kill9();
  stats = await load(200);
  await eventually('the points to be in the spool', async () => {
    stats = await client.stats();
    return stats.spooledPoints === 200;
  });
  await client.kill9();
  client = start();
  platform = await harness.platform({ ...settings, grpcPort });
  const again = await settled(client);
  expect(again).toMatchObject({ recoveredPoints: 200, ackedPoints: 200, droppedPoints: 0, indeterminatePoints: 0 });
  expect(await storedPoints(platform, stored + 200)).toBe(stored + 200);
}, 300_000);

test('an agent counts each value of DogStatsD as accepted or rejected, and what it accepted is stored', async () => {
  const settings = { folder: await harness.folder() };
  let platform = await harness.platform(settings);
  const { grpcPort } = platform;
  const fromMs = Date.now() - 1000;
  const folder = await harness.folder();
  const own = { agent: { addresses: [platform.grpcAddress], flushIntervalMs: 200, maxBackoffMs: 200 } };
  const start = async () => {
    const agent = await AgentUnderTest.start(folder, own);
    harness.onClear(() => agent.kill9());
    const status = await agent.status();
    const { address } = status.servers.find(({ listening }) => listening) ?? { address: '' };
    const port = Number(address.split(':').at(-1));
    return { agent, port };
  };
  let { agent, port } = await start();
  const socket = createSocket('udp4');
  harness.onClear(async () => void socket.close());
  const send = (text: string) => new Promise<void>((done) => socket.send(text, port, '127.0.0.1', () => done()));
  const lines = [
    'app.hits:1|c',
    'app.hits:1:1:nan|c|#a:b',
    'app.hits:1:1|x',
    'no line',
    'app.hits:1:1|c|@7',
    '_sc|app.up|1',
  ];
  /** Sends these lines, waits until they have arrived, and checks what the agent says of them. */
  const sendAll = async (times: number) => {
    for (let i = 0; i < times; i++) await send(lines.join('\n'));
    return eventually('the lines to arrive', async () => {
      const status = await agent.status();
      return status.dogstatsd?.serviceChecks === times && status;
    });
  };

  const { dogstatsd, dropped } = await sendAll(20);
  expect(dogstatsd?.values).toBe(60);
  // Values of a line whose type is unknown can't be counted.
  expect(dropped).toEqual({ value_nan: 20, type_unknown: 20, line_malformed: 20, sample_rate_invalid: 40 });
  await eventually('the values to be stored', async () => (await sumOf(platform, 'app.hits', fromMs)) === 60);

  // With the platform killed, the agent's spool keeps what it accepted, also when the agent is killed.
  await platform.kill9();
  await send(lines.join('\n'));
  await eventually('the values to arrive', async () => (await agent.status()).dogstatsd?.values === 63);
  const { flushes } = await agent.status();
  // A flush in progress may have passed the values on before these arrived.
  const flushed = await eventually('a flush that began after the values arrived', async () => {
    const status = await agent.status();
    return status.flushes > flushes + 1 && status;
  });
  await eventually('the spool to have them', async () => {
    return (await agent.status()).client.spooledPoints >= flushed.client.pendingPoints;
  });
  await agent.kill9();
  platform = await harness.platform({ ...settings, grpcPort });
  ({ agent, port } = await start());
  await eventually('the spool to be sent', async () => (await sumOf(platform, 'app.hits', fromMs)) === 63);
  const { client, points } = await eventually('a moment between two flushes', async () => {
    const status = await agent.status();
    return status.client.recoveredPoints > 0 && status;
  });
  expectToAddUp(client);
  expect(client.samples).toBe(points.dogstatsd + points.checks + points.agent);
  expect(client).toMatchObject({ rejectedSamples: 0, rejectedPoints: 0, droppedPoints: 0, indeterminatePoints: 0 });
  const { series } = await platform.query('max:service_check.app.up{*}', fromMs, Date.now());
  expect(series).toHaveLength(1);
}, 300_000);
