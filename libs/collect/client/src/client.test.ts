import { describe, expect, test } from '@jest/globals';
import { BatchResult_Outcome } from '@tidemark/contract';
import { isStaleMarker, KIND } from '@tidemark/model';
import { SeededRandom, SimulatedWorld } from '@tidemark/simulation';
import { DDSketch, unpackSketch } from '@tidemark/sketch';
import { Client } from './client.ts';
import { ModelIntake, type ModelIntakeOptions } from './model-intake.fixture.ts';
import type { ClientOptions, ClientRejection } from './options.ts';

async function setUp(
  { addresses = ['a:1', 'b:2'], ...options }: Partial<ClientOptions> & { readonly addresses?: string[] } = {},
  intakeOptions: Partial<ModelIntakeOptions> = {},
) {
  const world = new SimulatedWorld({ seed: 1 });
  const intake = new ModelIntake({ clock: world.clock, random: new SeededRandom('intake'), ...intakeOptions });
  const client = await Client.open(
    { connector: intake, addresses, clock: world.clock, random: world.random.fork('client') },
    { name: 'test', flushIntervalMs: 10_000, ...options },
  );
  return { world, intake, client };
}

test('a waiting caller keeps the process alive, although no intake can be reached', async () => {
  const world = new SimulatedWorld({ seed: 1 });
  const intake = new ModelIntake({ clock: world.clock, random: new SeededRandom('intake') });
  let held = 0;
  const hold = () => {
    held++;
    return () => {
      held--;
    };
  };
  const client = await Client.open(
    { connector: intake, addresses: ['a:1'], clock: world.clock, random: world.random.fork('client'), hold },
    { name: 'test', flushIntervalMs: 0 },
  );
  expect(held).toBe(0);
  client.count('hits');
  client.flush();
  const settled = client.settled();
  expect(held).toBe(1);
  await world.clock.advance(5000);
  await settled;
  expect([held, client.stats().ackedPoints]).toEqual([0, 1]);
  await close(world, client);
  expect(held).toBe(0);
});

async function close(world: SimulatedWorld, client: Client): Promise<void> {
  const closing = client.close();
  await world.clock.advance(6000);
  await closing;
}

test('what the client and its program refuse is reported, with the first example, also without a batch', async () => {
  const theirs = { reason: 'line_malformed', count: 7, example: 'no value' };
  const target = { name: 'scrape a:1', problem: 'refused', sinceMs: 5 };
  const { world, intake, client } = await setUp({ refusals: () => [theirs], sources: () => [target] });
  client.gauge('shop.price', Number.NaN);
  client.gauge('shop.other', Number.NaN);
  await world.clock.advance(20_000);
  const nan = {
    reason: 'value_nan',
    count: 2,
    example: 'value_nan: NaN of shop.price (limit: a finite number, or an infinite gauge)',
  };
  expect([intake.refusals, intake.sources]).toEqual([[nan, theirs], [target]]);
  // Another stream has got no report yet.
  intake.refusals = [];
  intake.breakAll();
  await world.clock.advance(60_000);
  expect([intake.refusals, intake.violations]).toEqual([[nan, theirs], []]);
  await close(world, client);
});

test('what is said of metrics is sent once for each stream and map, and again only what has changed', async () => {
  const { world, intake, client } = await setUp();
  client.gauge('disk.used', 1);
  client.describe('disk.used', { unit: 'byte', description: 'of the data folder' });
  client.describe('orders', { kind: 'rate', intervalMs: 10_000 });
  const used = { metric: 'disk.used', statement: { unit: 'byte', description: 'of the data folder' } };
  const orders = { metric: 'orders', statement: { kind: KIND.rate, intervalMs: 10_000 } };
  await world.clock.advance(20_000);
  expect(intake.statements.splice(0)).toEqual([used, orders]);
  client.describe('disk.used', { unit: 'byte' });
  await world.clock.advance(20_000);
  expect(intake.statements.splice(0)).toEqual([]);
  client.describe('disk.used', { unit: 'kibibyte' });
  await world.clock.advance(20_000);
  const changed = { metric: 'disk.used', statement: { ...used.statement, unit: 'kibibyte' } };
  expect(intake.statements.splice(0)).toEqual([changed]);
  intake.changeMap();
  await world.clock.advance(20_000);
  expect(intake.statements.splice(0)).toEqual([orders, changed]);
  intake.breakAll();
  await world.clock.advance(60_000);
  expect([intake.statements.splice(0), intake.violations]).toEqual([[orders, changed], []]);
  await close(world, client);
});

test('many descriptions go in messages of a limited size', async () => {
  const { world, intake, client } = await setUp();
  for (let i = 0; i < 10_001; i++) client.describe(`m${i}`, { description: 'd'.repeat(2000) });
  await world.clock.advance(60_000);
  expect(new Set(intake.statements.map(({ metric }) => metric)).size).toBe(10_000);
  expect(intake.statements[0].statement?.description).toBe('d'.repeat(1000));
  expect(client.stats().warnings.map(({ reason }) => reason)).toEqual(['describe_too_many_described']);
  await close(world, client);
});

describe('reporting intervals', () => {
  test('an interval that the program states goes with the definition, and a change defines the series again', async () => {
    const { world, intake, client } = await setUp();
    client.gauge('depth', 1, [], undefined, 30_000);
    client.counter('jobs', 1, [], undefined, 15_000);
    client.series('size', 'reading', [], 60_000).record(1);
    client.series('orders', 'count', [], 45_000).record(1);
    client.gauge('unsaid', 1);
    client.count('hits');
    await world.clock.advance(20_000);
    expect(intake.statedIntervals.splice(0).sort()).toEqual([
      ['depth', 30_000],
      ['hits', 10_000],
      ['jobs', 15_000],
      ['orders', 45_000],
      ['size', 60_000],
      ['unsaid', undefined],
    ]);
    // What is said again, and what is not said, changes nothing.
    client.gauge('depth', 2, [], undefined, 30_000);
    client.gauge('depth', 3);
    await world.clock.advance(10_000);
    expect(intake.statedIntervals).toEqual([]);
    client.gauge('depth', 4, [], undefined, 60_000.4);
    await world.clock.advance(10_000);
    client.gauge('depth', 5, [], undefined, 30_000);
    await world.clock.advance(10_000);
    client.gauge('unsaid', 6, [], undefined, 5_000);
    await world.clock.advance(20_000);
    expect(intake.statedIntervals.splice(0)).toEqual([
      ['depth', 60_000],
      ['depth', 30_000],
      ['unsaid', 5_000],
    ]);
    // The new definition names the ref of the one before.
    expect(intake.restatedRefs).toHaveLength(3);
    expect(intake.delivered.filter(({ metric }) => metric === 'depth').map(({ value }) => value)).toEqual([1, 3, 4, 5]);
    expect(client.stats()).toMatchObject({ series: 6, rejectedSamples: 0, warnings: [] });
    // The definitions that a new stream repeats do not take the change back.
    intake.breakAll();
    for (const value of [7, 8]) client.gauge('depth', value);
    await world.clock.advance(60_000);
    expect(new Set(intake.statedIntervals.filter(([metric]) => metric === 'depth').map(String))).toEqual(
      new Set(['depth,30000']),
    );
    expect(intake.violations).toEqual([]);
    await close(world, client);
  });

  test('values of one flush interval make one point of a gauge, also where its interval changes', async () => {
    const { world, intake, client } = await setUp();
    const handle = client.series('depth', 'gauge', [], 30_000);
    handle.record(1);
    expect(client.series('depth', 'gauge', [], 60_000)).toBe(handle);
    handle.record(2);
    await world.clock.advance(20_000);
    expect(intake.delivered.map(({ value }) => value)).toEqual([2]);
    expect(intake.statedIntervals).toEqual([['depth', 60_000]]);
    await close(world, client);
  });

  test('columns state an interval that changed since the last ones', async () => {
    const { world, intake, client } = await setUp();
    const columns = [client.series('depth', 'gauge', [], 30_000), client.series('size', 'gauge', [], 30_000)];
    client.recordColumns(columns, world.clock.wallMs(), Float64Array.of(1, 2));
    await world.clock.advance(20_000);
    intake.statedIntervals.splice(0);
    client.series('size', 'gauge', [], 60_000);
    client.recordColumns(columns, world.clock.wallMs(), Float64Array.of(3, 4));
    await world.clock.advance(20_000);
    expect(intake.statedIntervals).toEqual([['size', 60_000]]);
    expect(intake.delivered.map(({ metric, value }) => `${metric} ${value}`).sort()).toEqual([
      'depth 1',
      'depth 3',
      'size 2',
      'size 4',
    ]);
    await close(world, client);
  });

  test('a program that changes an interval all the time keeps its points, and is warned once', async () => {
    const { world, intake, client } = await setUp();
    for (let i = 0; i < 100; i++) client.gauge('depth', i, [], world.clock.wallMs() + i, 1_000 + (i % 2));
    await world.clock.advance(20_000);
    expect(intake.delivered).toHaveLength(100);
    expect(intake.statedIntervals.length).toBeLessThanOrEqual(65);
    expect(client.stats()).toMatchObject({ series: 1, ackedPoints: 100, rejectedSamples: 0 });
    expect(client.stats().warnings).toMatchObject([{ reason: 'interval_changes', field: 'intervalMs' }]);
    await close(world, client);
  });
});

describe('recorded values', () => {
  test('are aggregated by kind over a flush interval', async () => {
    const { world, intake, client } = await setUp();
    await world.clock.advance(12_000);
    const nowMs = world.clock.wallMs();
    client.gauge('depth', 1, ['queue:mail', 'env:prod']);
    client.gauge('depth', 2, ['env:prod', 'queue:mail', 'env:prod']);
    client.count('hits', 2);
    client.count('hits');
    client.counter('bytes', 100);
    client.distribution('latency', 0.5);
    client.distribution('latency', 1.5);
    client.gauge('depth', 9, ['env:prod', 'queue:mail'], nowMs - 1234.5);
    await world.clock.advance(10_000);
    const startMs = nowMs - 2000;
    expect(intake.violations).toEqual([]);
    const sorted = intake.delivered.map(({ metric, kind, timeMs, value }) => [metric, kind, timeMs, value]).sort();
    expect(sorted).toEqual([
      ['bytes', KIND.counter, nowMs, 100],
      ['depth', KIND.gauge, nowMs - 1235, 9],
      ['depth', KIND.gauge, nowMs, 2],
      ['hits', KIND.count, startMs, 3],
    ]);
    expect(intake.delivered.find(({ metric }) => metric === 'depth')?.tags).toEqual(['env:prod', 'queue:mail']);
    const expected = new DDSketch();
    expected.insert(0.5);
    expected.insert(1.5);
    expect(intake.sketches.map(({ timeMs }) => timeMs)).toEqual([startMs]);
    expect(unpackSketch(intake.sketches[0].payload).equals(expected)).toBe(true);
    expect(client.stats()).toMatchObject({ samples: 8, points: 5, ackedPoints: 5, pendingPoints: 0, series: 4 });
    await close(world, client);
  });

  test('of gauges and counters end, after what was gathered, and begin again', async () => {
    const { world, intake, client } = await setUp();
    await world.clock.advance(12_000);
    const nowMs = world.clock.wallMs();
    client.gauge('depth', 1, ['q:a']);
    client.counter('bytes', 100);
    await world.clock.advance(1000);
    client.endSeries('depth', 'gauge', ['q:a']);
    client.series('bytes', 'counter').end(nowMs + 500.9);
    client.endSeries('unseen', 'reading', [], nowMs);
    await world.clock.advance(1000);
    client.gauge('depth', 2, ['q:a']);
    client.gauge('same', 3);
    client.endSeries('same', 'gauge');
    client.gauge('back', 4);
    client.endSeries('back', 'gauge');
    client.gauge('back', 5);
    await world.clock.advance(10_000);
    expect(intake.violations).toEqual([]);
    const points = intake.delivered.map(({ metric, timeMs, value }) => {
      return [metric, timeMs - nowMs, isStaleMarker(value) ? 'end' : value];
    });
    expect(points.sort()).toEqual([
      ['back', 2000, 5],
      ['bytes', 0, 100],
      ['bytes', 500, 'end'],
      ['depth', 0, 1],
      ['depth', 1000, 'end'],
      ['depth', 2000, 2],
      ['same', 2000, 'end'],
      ['unseen', 0, 'end'],
    ]);
    expect(client.stats()).toMatchObject({ samples: 11, rejectedSamples: 0, pendingPoints: 0 });
    await close(world, client);
  });

  test('of counts and distributions have no end, and keep what was gathered', async () => {
    const { world, intake, client } = await setUp();
    client.count('hits', 3);
    client.distribution('latency', 1);
    for (const [metric, kind] of [['hits', 'count'] as const, ['latency', 'distribution'] as const]) {
      client.endSeries(metric, kind);
      client.endSeries(metric, kind, [], world.clock.wallMs());
    }
    await world.clock.advance(20_000);
    expect(intake.delivered).toMatchObject([{ metric: 'hits', value: 3 }]);
    expect(intake.sketches.length).toBe(1);
    expect(client.stats()).toMatchObject({ samples: 6, rejectedSamples: 4, reasons: { kind_without_end: 4 } });
    await close(world, client);
    client.endSeries('depth', 'gauge');
    expect(client.stats().reasons).toEqual({ kind_without_end: 4, closed: 1 });
  });

  test('of columns reach their series in any order, and mix with single points', async () => {
    const { world, intake, client } = await setUp({ flushIntervalMs: 0 });
    const handles = Array.from({ length: 50 }, (_, i) => client.series(`m${(i * 7) % 5}`, 'gauge', [`host:${99 - i}`]));
    const values = Float64Array.from(handles, (_, i) => i + 0.25);
    client.recordColumns(handles, 1000, values);
    client.flush();
    client.recordColumns(handles, 3000, values);
    client.recordColumns(handles, 2000, values);
    client.recordColumns(handles, 3000, values);
    handles[3].record(77, 2500);
    client.flush();
    await world.clock.run(() => client.stats().pendingPoints === 0, 60_000);
    expect(intake.violations).toEqual([]);
    expect(intake.delivered.length).toBe(50 * 3 + 1);
    for (const { metric, tags, value, timeMs } of intake.delivered) {
      const i = 99 - Number(tags[0].slice(5));
      expect(metric).toBe(`m${(i * 7) % 5}`);
      expect(value).toBe(timeMs === 2500 ? 77 : i + 0.25);
    }
    expect(() => client.recordColumns(handles, 0, new Float64Array(3))).toThrow('3 values for 50 series');
    await close(world, client);
  });

  test('that are invalid are counted with their reason, and the others are sent', async () => {
    const rejections: ClientRejection[] = [];
    const { world, intake, client } = await setUp({
      maxSeries: 2,
      onRejection: (rejection) => rejections.push(rejection),
    });
    client.gauge('x'.repeat(201), 1);
    client.gauge('ok', 1, [`tag:${'v'.repeat(4352)}`]);
    client.count('hits', Number.NaN);
    client.count('hits', 4);
    client.gauge('depth', 1, [], Number.POSITIVE_INFINITY);
    client.gauge('depth', 5);
    client.gauge('third', 1);
    await world.clock.advance(11_000);
    expect(rejections.map(({ reason, field }) => [reason, field])).toEqual([
      ['metric_too_long', 'metric'],
      ['tag_too_long', 'tag'],
      ['value_nan', 'value'],
      ['timestamp_invalid', 'timestamp'],
      ['too_many_series', 'maxSeries'],
    ]);
    expect(client.stats()).toMatchObject({ samples: 7, rejectedSamples: 5, ackedPoints: 2 });
    expect(intake.delivered.map(({ value }) => value).sort()).toEqual([4, 5]);
    await close(world, client);
  });

  test('are cut into batches at the limit of bytes', async () => {
    const { world, intake, client } = await setUp({ flushIntervalMs: 0, maxBatchBytes: 24 * 100 });
    for (let i = 0; i < 1000; i++) client.gauge('m', i, [], 1_000_000 + i);
    client.flush();
    await world.clock.run(() => client.stats().pendingPoints === 0, 60_000);
    expect(intake.delivered.length).toBe(1000);
    expect(client.stats().batchesSent).toBe(10);
    await close(world, client);
  });
});

describe('the end of a batch', () => {
  test('refused batches are settled and counted', async () => {
    const { world, intake, client } = await setUp({ flushIntervalMs: 0 });
    intake.answer = BatchResult_Outcome.REFUSED;
    client.gauge('m', 1);
    client.flush();
    await world.clock.run(() => client.stats().refusedPoints === 1, 10_000);
    expect(client.stats().pendingPoints).toBe(0);
    await close(world, client);
  });

  test('a batch that stays unacknowledged is given up as indeterminate, and the floor passes it', async () => {
    const { world, intake, client } = await setUp({ flushIntervalMs: 0, giveUpMs: 3_600_000 });
    intake.answer = BatchResult_Outcome.RETRY;
    client.gauge('m', 1);
    client.flush();
    await world.clock.run(() => client.stats().indeterminatePoints === 1, 2 * 3_600_000);
    expect(client.stats().batchesResent).toBeGreaterThan(100);
    intake.answer = undefined;
    client.gauge('m', 2);
    client.flush();
    await world.clock.run(() => client.stats().ackedPoints === 1, 60_000);
    expect([...intake.sessions.values()][0].floor).toBe(1);
    await close(world, client);
  });

  test('without a spool, the oldest batches are dropped at the limit of memory', async () => {
    const { world, intake, client } = await setUp({ flushIntervalMs: 0, memoryBytes: 1000 });
    intake.up = false;
    intake.breakAll();
    await world.clock.advance(100);
    for (let i = 0; i < 100; i++) {
      client.gauge('m', i, [], world.clock.wallMs() + i);
      client.flush();
    }
    intake.up = true;
    await world.clock.run(() => client.stats().pendingPoints === 0, 60_000);
    const { ackedPoints, droppedPoints, points, reasons } = client.stats();
    expect(ackedPoints + droppedPoints).toBe(points);
    expect(reasons.memory_bound).toBe(droppedPoints);
    expect(intake.delivered.map(({ value }) => value)).toEqual(
      Array.from({ length: ackedPoints }, (_, i) => 100 - ackedPoints + i),
    );
    expect(ackedPoints).toBe(50);
    await close(world, client);
    client.gauge('m', 1);
    expect(client.stats().reasons.closed).toBe(1);
  });

  test.each([
    ['no batch', 'mute'],
    ['no definitions', 'judgesNothing'],
  ] as const)('the client leaves an intake that greets and then answers %s', async (_, silence) => {
    const { world, intake, client } = await setUp({ replyTimeoutMs: 3000 });
    intake[silence] = 'a:1';
    for (let second = 0; second < 20; second++) {
      client.gauge('load', second);
      client.flush();
      await world.clock.advance(1000);
    }
    expect(intake.violations).toEqual([]);
    expect(client.stats()).toMatchObject({ points: 20, ackedPoints: 20, pendingPoints: 0 });
    expect(intake.streams).toBeLessThan(4);
    await close(world, client);
  });

  test('batches do not wait for the definitions of later ones', async () => {
    const { world, intake, client } = await setUp({});
    await world.clock.advance(1000);
    for (let i = 0; i < 300; i++) {
      client.gauge(`m${i}`, i);
      client.flush();
      await world.clock.advance(10);
    }
    expect(intake.violations).toEqual([]);
    expect(client.stats().pendingPoints).toBeLessThan(60);
    await close(world, client);
  });

  test('a batch does not wait behind a flood of definitions that only later ones need', async () => {
    const { world, intake, client } = await setUp({});
    await world.clock.advance(1000);
    for (let flush = 0; flush < 10; flush++) {
      for (let i = 0; i < 1500; i++) client.gauge(`m${flush}`, i, [`n:${i}`]);
      client.flush();
    }
    for (let i = 0; i < 200 && intake.delivered.length === 0; i++) await world.clock.advance(5);
    expect(intake.delivered.length).toBeGreaterThan(0);
    expect(intake.definitions).toBeLessThan(9000);
    await close(world, client);
    expect(client.stats().ackedPoints).toBe(15_000);
  });

  test('the client stays with an intake that answers some batches and not others', async () => {
    const { world, intake, client } = await setUp({ replyTimeoutMs: 3000 }, { busy: 0.3 });
    for (let second = 0; second < 30; second++) {
      client.gauge('load', second);
      client.flush();
      await world.clock.advance(500);
    }
    expect(client.stats()).toMatchObject({ points: 30, connects: 1 });
    expect(intake.resends).toBeGreaterThan(0);
    await close(world, client);
  });

  test('a greeting of another tenant is refused, and other addresses are tried', async () => {
    const { world, intake, client } = await setUp({ flushIntervalMs: 0 });
    await world.clock.advance(1000);
    intake.greeting = () => {
      const reply = ModelIntake.prototype.greeting.call(intake);
      if (reply.message?.$case === 'greeting') reply.message.value.tenant = 'other';
      return reply;
    };
    intake.breakAll();
    client.gauge('m', 1);
    client.flush();
    await world.clock.advance(30_000);
    expect(client.lastError?.code).toBe('permission_denied');
    expect(client.stats().pendingPoints).toBe(1);
    await close(world, client);
  });
});
