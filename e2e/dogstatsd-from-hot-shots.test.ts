import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { Agent, agentClientOptions } from '@tidemark/agent';
import { SystemClock, SystemRandom } from '@tidemark/node-runtime';
import { StatsD } from 'hot-shots';
import { eventually } from './process/eventually.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

/** Long enough to have all points in one interval, which the stop of the agent flushes: sets and medians are exact. */
const FLUSH_MS = 3_600_000;
const VALUES = 1000;
const CLICKS = 2000;

const files = {
  readText: (path: string) => readFile(path, 'utf8'),
  list: (path: string) => readdir(path),
  isSocket: (path: string) => stat(path).then((found) => found.isSocket()),
  remove: (path: string) => rm(path),
};

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Sends every type of hot-shots, each with the tag `via:…` of its transport. */
async function sendAll(statsd: StatsD): Promise<void> {
  for (let i = 0; i < 100; i++) statsd.increment('shop.orders', 2, ['country:de']);
  for (let i = 0; i < 40; i++) statsd.decrement('shop.orders', 1, ['country:de']);
  statsd.increment('shop.orders', 5, { country: 'fr' });
  // The sender samples: each sent value counts four times.
  for (let i = 0; i < CLICKS; i++) statsd.increment('shop.clicks', 1, 0.25);
  // The receiver runs in this thread, and its kernel buffer is limited.
  await nextTurn();
  statsd.gauge('shop.stock', 10);
  statsd.gauge('shop.stock', 42.5);
  for (const user of ['ann', 'bob', 'ann', 'eve', 'bob']) statsd.set('shop.users', user);
  statsd.unique('shop.carts', 'one');
  for (let i = 1; i <= VALUES; i++) {
    statsd.histogram('shop.basket', i);
    statsd.timing('shop.render', i);
    statsd.distribution('shop.latency', i / 1000);
    if (i % 100 === 0) await nextTurn();
  }
  statsd.event('deployed', 'version 7', { alert_type: 'info' }, ['env:prod']);
  statsd.check('db.up', statsd.CHECKS.OK, { message: 'fine' }, ['env:prod']);
}

test('every type that hot-shots sends over UDP and a Unix socket comes back from a query', async () => {
  const platform = await harness.platform();
  const client = await harness.client(platform.grpcAddress, { ...agentClientOptions(FLUSH_MS), name: 'agent' });
  const streamPath = join(await harness.folder(), 'dogstatsd.socket');
  const agent = new Agent({
    clock: new SystemClock(),
    random: new SystemRandom(),
    client,
    files,
    hostname: 'web-1',
    flushIntervalMs: FLUSH_MS,
    dogstatsd: { udp: { port: 0 }, streamPath },
  });
  await agent.start();
  harness.onClear(() => agent.stop());
  const fromMs = Math.floor(Date.now() / FLUSH_MS) * FLUSH_MS;

  const { servers } = await agent.freshStatus();
  const udp = servers.find(({ transport }) => transport === 'udp');
  const port = Number(udp?.address.split(':').at(-1));
  const socket = connectSocket(streamPath);
  const senders = [
    // Batches of one datagram, the default of hot-shots. The kernel makes the pauses between them.
    new StatsD({ host: '127.0.0.1', port, globalTags: ['via:udp'], maxBufferSize: 1432, bufferFlushInterval: 5 }),
    new StatsD({ protocol: 'stream', stream: socket, globalTags: ['via:unix'], maxBufferSize: 1432 }),
  ];
  for (const sender of senders) {
    await sendAll(sender);
    await new Promise((resolve) => sender.close(resolve));
  }

  // The last line of each sender is its service check, and UDP on one machine keeps their order.
  await eventually('both service checks to arrive', () => agent.serviceChecks().length === 2);
  await agent.stop();
  await eventually('the agent to have sent everything', () => client.stats().pendingPoints === 0);
  const toMs = Date.now();

  /** Returns the value of each transport over the whole hour. */
  const ask = async (query: string): Promise<Record<string, number>> => {
    const { series, errors } = await platform.queryComplete(query, fromMs, toMs);
    expect(errors).toEqual([]);
    return Object.fromEntries(series.map(({ tagSet, values }) => [tagSet.join(), values[values.length - 1]]));
  };
  const both = (value: number) => ({ 'via:udp': value, 'via:unix': value });

  expect(await ask('sum:shop.orders{country:de} by {via}.rollup(sum, 3600)')).toEqual(both(160));
  expect(await ask('sum:shop.orders{country:fr} by {via}.rollup(sum, 3600)')).toEqual(both(5));
  for (const clicks of Object.values(await ask('sum:shop.clicks{*} by {via}.rollup(sum, 3600)'))) {
    expect(clicks % 4).toBe(0);
    // Draws with a chance of 1/4: the standard deviation of their number times 4 is sqrt(3 draws).
    expect(Math.abs(clicks - CLICKS)).toBeLessThan(8 * Math.sqrt(3 * CLICKS));
  }
  expect(await ask('last:shop.stock{host:web-1} by {via}.rollup(last, 3600)')).toEqual(both(42.5));
  expect(await ask('max:shop.users{*} by {via}.rollup(max, 3600)')).toEqual(both(3));
  expect(await ask('max:shop.carts{*} by {via}.rollup(max, 3600)')).toEqual(both(1));
  for (const metric of ['shop.basket', 'shop.render']) {
    expect(await ask(`sum:${metric}.count{*} by {via}.rollup(sum, 3600)`)).toEqual(both(VALUES));
    expect(await ask(`max:${metric}.max{*} by {via}.rollup(max, 3600)`)).toEqual(both(VALUES));
    expect(await ask(`avg:${metric}.avg{*} by {via}.rollup(avg, 3600)`)).toEqual(both((VALUES + 1) / 2));
    expect(await ask(`avg:${metric}.median{*} by {via}.rollup(avg, 3600)`)).toEqual(both(VALUES / 2));
    expect(await ask(`avg:${metric}.95percentile{*} by {via}.rollup(avg, 3600)`)).toEqual(both(VALUES * 0.95));
  }
  expect(await ask('count:shop.latency{*} by {via}.rollup(3600)')).toEqual(both(VALUES));
  for (const sum of Object.values(await ask('sum:shop.latency{*} by {via}.rollup(3600)'))) {
    expect(sum).toBeCloseTo((VALUES * (VALUES + 1)) / 2000, 6);
  }
  for (const percent of [50, 95, 99.9]) {
    for (const value of Object.values(await ask(`p${percent}:shop.latency{*} by {via}.rollup(3600)`))) {
      expect(Math.abs(value / (percent / 100) - 1)).toBeLessThan(0.0101);
    }
  }

  const event = { title: 'deployed', text: 'version 7', alertType: 'info' };
  expect(agent.events()).toMatchObject([event, event]);
  expect(
    agent
      .events()
      .flatMap(({ tags }) => tags)
      .sort(),
  ).toEqual(['env:prod', 'env:prod', 'via:udp', 'via:unix']);
  expect(agent.serviceChecks()).toMatchObject([{ name: 'db.up' }, { name: 'db.up' }]);
  expect(agent.status().dropped).toEqual({});
  expect(client.stats()).toMatchObject({ rejectedPoints: 0, refusedPoints: 0, droppedPoints: 0 });
});
