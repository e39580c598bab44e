import { expect, test } from '@jest/globals';
import { below } from '@tidemark/ports';
import { SeededRandom, SimulatedWorld } from '@tidemark/simulation';
import { Client } from './client.ts';
import { ModelIntake } from './model-intake.fixture.ts';
import type { ClientOptions } from './options.ts';

const FLUSH_MS = 10_000;

async function setUp(options: Partial<ClientOptions> = {}, hasSpool = false) {
  const world = new SimulatedWorld({ seed: 1 });
  const intake = new ModelIntake({ clock: world.clock, random: new SeededRandom('intake') });
  const ports = { connector: intake, addresses: ['a:1'], clock: world.clock, random: world.random.fork('client') };
  const node = world.node('agent');
  const bounds = { maxSeries: 2000, seriesExpiryMs: 60_000, ...options };
  let client: Client | undefined;
  const opening = node.start(async ({ disk }) => {
    client = await Client.open(
      { ...ports, disk: hasSpool ? disk : undefined },
      { name: 'test', flushIntervalMs: FLUSH_MS, ...bounds },
    );
  });
  await world.clock.run(() => client !== undefined, 10_000);
  await opening;
  if (client === undefined) throw new Error('the client did not open');
  return { world, intake, client };
}

/** Returns the sum of the delivered values of each series. */
function sums(intake: ModelIntake): Map<string, number> {
  const found = new Map<string, number>();
  for (const { metric, tags, value } of intake.delivered) {
    const key = `${metric} ${tags.join()}`;
    found.set(key, (found.get(key) ?? 0) + Number(value));
  }
  return found;
}

test.each([false, true])(
  'half a day of names that change is delivered, and the client remembers a bounded number of them (spool: %s)',
  async (hasSpool) => {
    const { world, intake, client } = await setUp({}, hasSpool);
    const flushes = 4320;
    let most = 0;
    for (let flush = 0; flush < flushes; flush++) {
      for (let i = 0; i < 5; i++) client.count('pods.up', 1, [`pod:p${flush * 5 + i}`]);
      client.count('requests', 1);
      await world.clock.advance(FLUSH_MS);
      most = Math.max(most, client.stats().series);
    }
    await world.clock.advance(FLUSH_MS);
    const { rejectedSamples, pendingPoints, ackedPoints, spoolBytes } = client.stats();
    expect(spoolBytes).toBeLessThan(256 * 1024);
    expect({ rejectedSamples, pendingPoints, ackedPoints }).toEqual({
      rejectedSamples: 0,
      pendingPoints: 0,
      ackedPoints: flushes * 6,
    });
    expect([intake.delivered.length, sums(intake).get('requests ')]).toEqual([flushes * 6, flushes]);
    expect(most).toBeLessThanOrEqual(1100);
    expect(intake.violations).toEqual([]);
  },
  120_000,
);

test('a handle that a program kept can be used after its series expired, also in columns', async () => {
  const { world, intake, client } = await setUp();
  const kept = client.series('kept', 'count', ['a:1']);
  const columns = [client.series('column', 'gauge', ['n:1']), client.series('column', 'gauge', ['n:2'])];
  kept.record(1);
  client.recordColumns(columns, world.clock.wallMs(), Float64Array.of(1, 2));
  for (let i = 0; i < 1500; i++) client.count('once', 1, [`n:${i}`]);
  await world.clock.advance(300_000);
  expect(client.stats().series).toBe(0);
  kept.record(5);
  client.recordColumns(columns, world.clock.wallMs(), Float64Array.of(10, 20));
  client.count('kept', 3, ['a:1']);
  await world.clock.advance(2 * FLUSH_MS);
  expect(client.stats().series).toBeLessThanOrEqual(4);
  const found = sums(intake);
  expect([found.get('kept a:1'), found.get('column n:1'), found.get('column n:2')]).toEqual([9, 11, 22]);
  expect(intake.violations).toEqual([]);
});

test('a full table takes new series once some of them have expired', async () => {
  const { world, intake, client } = await setUp({ maxSeries: 100 });
  for (let i = 0; i < 100; i++) client.count('old', 1, [`n:${i}`]);
  client.count('new', 1);
  expect(client.stats().rejectedSamples).toBe(1);
  for (let step = 0; step < 20; step++) {
    await world.clock.advance(FLUSH_MS);
    for (let i = 0; i < 80; i++) client.count('old', 1, [`n:${i}`]);
  }
  for (let i = 0; i < 10; i++) client.count('new', 1, [`n:${i}`]);
  expect(client.stats().rejectedSamples).toBe(1);
  await world.clock.advance(2 * FLUSH_MS);
  expect(sums(intake).get('old n:0')).toBe(21);
});

test('while no intake is reachable a client begins a bounded number of sessions, and loses nothing of them', async () => {
  const { world, intake, client } = await setUp({ replayStreams: 2 });
  intake.up = false;
  intake.breakAll();
  for (let flush = 0; flush < 200; flush++) {
    for (let i = 0; i < 50; i++) client.count('pods.up', 1, [`pod:p${flush * 50 + i}`]);
    await world.clock.advance(FLUSH_MS);
  }
  const { rejectedSamples, series } = client.stats();
  expect(series).toBeLessThanOrEqual(2000);
  expect(rejectedSamples).toBeGreaterThan(0);
  intake.up = true;
  await world.clock.advance(60_000);
  expect(intake.delivered.length + rejectedSamples).toBe(10_000);
  expect(client.stats().pendingPoints).toBe(0);
  client.count('later', 1);
  await world.clock.advance(300_000);
  expect(sums(intake).get('later ')).toBe(1);
});

test('every value is delivered to its series, also if it comes back after it expired', async () => {
  const { world, intake, client } = await setUp({ maxSeries: 3000, seriesExpiryMs: 20_000 });
  const random = new SeededRandom('names');
  const expected = new Map<string, number>();
  for (let flush = 0; flush < 300; flush++) {
    const from = below(random, 3000);
    for (let i = below(random, 300); i > 0; i--) {
      const name = from + below(random, 200);
      client.count('m', 1, [`n:${name}`]);
      expected.set(`m n:${name}`, (expected.get(`m n:${name}`) ?? 0) + 1);
    }
    await world.clock.advance(FLUSH_MS);
  }
  await world.clock.advance(60_000);
  expect(client.stats().rejectedSamples).toBe(0);
  expect([...sums(intake)].sort()).toEqual([...expected].sort());
  expect(intake.violations).toEqual([]);
});

/** Records 1500 series once, and waits until most series have expired, so that the client has an empty table. */
async function expire({ world, client }: Awaited<ReturnType<typeof setUp>>, eachFlush = (_flush: number) => {}) {
  for (let i = 0; i < 1500; i++) client.count('once', 1, [`n:${i}`]);
  for (let flush = 0; flush < 30; flush++) {
    await world.clock.advance(FLUSH_MS);
    if (client.stats().series === 0) return;
    eachFlush(flush);
  }
  throw new Error('no series expired');
}

test('a series with a stated interval that expires and comes back states it again', async () => {
  const at = await setUp();
  const { world, intake, client } = at;
  const kept = client.series('kept', 'gauge', ['a:1'], 30_000);
  const record = (value: number): void => {
    kept.record(value);
    client.gauge('named', value, [], undefined, 45_000);
  };
  record(1);
  await expire(at);
  const stated = () => intake.statedIntervals.splice(0).filter(([metric]) => metric !== 'once');
  const both = [
    ['kept', 30_000],
    ['named', 45_000],
  ];
  expect(stated().sort()).toEqual(both);
  record(2);
  await world.clock.advance(2 * FLUSH_MS);
  expect(stated().sort()).toEqual(both);
  expect(sums(intake)).toEqual(new Map([...sums(intake), ['kept a:1', 3], ['named ', 3]]));
  expect(client.stats()).toMatchObject({ series: 2, rejectedSamples: 0, warnings: [] });
  expect(intake.violations).toEqual([]);
});

test('an interval that changes after an expiry is stated once, whether or not its own series expired', async () => {
  const at = await setUp();
  const { world, intake, client } = at;
  const both = (value: number, intervalMs: number): void => {
    for (const metric of ['gone', 'used']) client.gauge(metric, value, [], undefined, intervalMs);
  };
  const used = client.series('used', 'gauge', []);
  both(1, 30_000);
  await expire(at, (flush) => {
    if (flush % 2 === 0) used.record(1);
  });
  const stated = () => intake.statedIntervals.splice(0).filter(([metric]) => metric !== 'once');
  stated();
  // Neither has a number in the new table: they are defined as if they were new.
  both(2, 60_000);
  expect(client.series('used', 'gauge', [])).toBe(used);
  await world.clock.advance(2 * FLUSH_MS);
  expect(stated().sort()).toEqual([
    ['gone', 60_000],
    ['used', 60_000],
  ]);
  expect(intake.restatedRefs).toEqual([]);
  both(3, 90_000);
  used.record(4);
  await world.clock.advance(2 * FLUSH_MS);
  expect(stated().sort()).toEqual([
    ['gone', 90_000],
    ['used', 90_000],
  ]);
  expect(intake.restatedRefs).toHaveLength(2);
  // A new stream repeats the definitions, of older numbers too.
  intake.breakAll();
  both(5, 90_000);
  await world.clock.advance(60_000);
  expect(new Set(stated().map(String))).toEqual(new Set(['gone,90000', 'used,90000']));
  const values = intake.delivered.filter(({ metric }) => metric === 'used').map(({ value }) => value);
  expect(values.slice(-3)).toEqual([2, 4, 5]);
  expect(client.stats()).toMatchObject({ series: 2, rejectedSamples: 0, warnings: [] });
  expect(intake.violations).toEqual([]);
});

test('a handle that a program kept, and its name, are one series after it expired', async () => {
  const at = await setUp();
  const { world, intake, client } = at;
  const first = client.series('first', 'gauge', [], 30_000);
  const second = client.series('second', 'gauge', [], 30_000);
  first.record(1);
  second.record(1);
  await expire(at);
  intake.statedIntervals.splice(0);
  first.record(2);
  expect(client.series('first', 'gauge', [])).toBe(first);
  // The name is used first, with another interval, which the handle does not take back.
  client.gauge('second', 2, [], undefined, 60_000);
  await world.clock.advance(FLUSH_MS);
  second.record(3);
  await world.clock.advance(2 * FLUSH_MS);
  expect(new Set(intake.statedIntervals.map(String))).toEqual(new Set(['first,30000', 'second,60000']));
  expect(sums(intake).get('second ')).toBe(6);
  expect(intake.violations).toEqual([]);
});
