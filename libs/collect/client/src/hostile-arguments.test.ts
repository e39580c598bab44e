import { beforeEach, describe, expect, test } from '@jest/globals';
import { isTidemarkError } from '@tidemark/ports';
import { SeededRandom, SimulatedWorld } from '@tidemark/simulation';
import { DDSketch } from '@tidemark/sketch';
import fc from 'fast-check';
import { Client } from './client.ts';
import { connect } from './connect.ts';
import { ModelIntake } from './model-intake.fixture.ts';
import type { ClientOptions, ClientRejection } from './options.ts';

/** The client as a program without types sees it. */
type Untyped = Record<'gauge' | 'count' | 'counter' | 'distribution', (...given: unknown[]) => void> & {
  endSeries(...given: unknown[]): void;
  series(...given: unknown[]): {
    record(...given: unknown[]): void;
    recordSketch(...given: unknown[]): void;
    end(...given: unknown[]): void;
  };
  recordColumns(...given: unknown[]): void;
  describe(...given: unknown[]): void;
  flush(...given: unknown[]): Promise<unknown>;
};

const thrower = () => {
  throw new Error('hostile');
};
/** Throws from whatever is done with it. */ // words: allow whatever
const hostileProxy = new Proxy([], { get: thrower, getPrototypeOf: thrower, has: thrower, ownKeys: thrower });
const revoked = (() => {
  const { proxy, revoke } = Proxy.revocable([], {});
  revoke();
  return proxy;
})();

/** None of them is a number, a string, an array or undefined. */
const STRANGE: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['a BigInt', 10n],
  ['true', true],
  ['a symbol', Symbol('s')],
  ['an object', {}],
  ['a Date', new Date(0)],
  ['a boxed number', Object(5)],
  ['a function', thrower],
  ['valueOf that throws', { valueOf: thrower, toString: thrower, [Symbol.toPrimitive]: thrower }],
  ['toString that throws', { toString: thrower }],
  ['no prototype', Object.create(null)],
  ['a class', class {}],
];
const PROXIES: readonly (readonly [string, unknown])[] = [
  ['a proxy that throws', hostileProxy],
  ['a revoked proxy', revoked],
];

describe('arguments of a wrong type', () => {
  let world: SimulatedWorld;
  let intake: ModelIntake;
  let client: Client;
  let untyped: Untyped;
  let rejections: ClientRejection[];

  beforeEach(async () => {
    rejections = [];
    ({ world, intake, client } = await setUp({ onRejection: (rejection) => rejections.push(rejection) }));
    untyped = client as unknown as Untyped;
  });

  /** Sends what was recorded, and returns the values that arrived. */
  async function delivered(): Promise<number[]> {
    client.flush();
    await world.clock.run(() => client.stats().pendingPoints === 0, 60_000);
    expect(intake.violations).toEqual([]);
    return intake.delivered.map(({ value }) => value);
  }

  test.each([...STRANGE, ...PROXIES, ['a number', 12]])(
    'a description of or with %s is reported, and the others are sent',
    async (_, strange) => {
      untyped.describe(strange, { unit: 'byte' });
      if (typeof strange !== 'object' || strange === null) untyped.describe('bad', strange);
      for (const field of ['kind', 'unit', 'description']) untyped.describe('bad', { [field]: strange });
      if (typeof strange !== 'number') untyped.describe('bad', { intervalMs: strange });
      untyped.describe('bad', {
        get unit() {
          throw new Error('hostile');
        },
      });
      for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) untyped.describe('bad', { intervalMs: bad });
      client.describe('good', { unit: 'byte' });
      client.gauge('good', 7);
      expect(await delivered()).toEqual([7]);
      expect(intake.statements).toEqual([{ metric: 'good', statement: { unit: 'byte' } }]);
      expect(client.stats()).toMatchObject({ rejectedSamples: 0, internalErrors: 0 });
      const reasons = client.stats().warnings.map(({ reason }) => reason);
      expect(reasons).toEqual(expect.arrayContaining(['describe_kind_unknown', 'describe_interval_invalid']));
    },
  );

  test.each([...STRANGE, ...PROXIES, ['a string', '12'], ['NaN', Number.NaN]])(
    'a value that is %s is rejected by every method, and is not 0',
    async (_, value) => {
      const methods = ['gauge', 'count', 'counter', 'distribution'] as const;
      for (const method of methods) untyped[method]('bad', value);
      for (const kind of methods) untyped.series('bad', kind).record(value);
      untyped.series('bad', 'distribution').recordSketch(value);
      untyped.series('bad', 'gauge').recordSketch(new DDSketch());
      expect(client.stats()).toMatchObject({ samples: 10, rejectedSamples: 10, internalErrors: 0 });
      client.gauge('good', 7);
      expect(await delivered()).toEqual([7]);
    },
  );

  test('an infinite value is taken for a gauge, and rejected for any other kind', async () => {
    for (const value of [1 / 0, -1 / 0]) {
      for (const method of ['count', 'counter', 'distribution'] as const) untyped[method]('bad', value);
      client.gauge('good', value, [], value > 0 ? 1_000 : 2_000);
    }
    expect(client.stats()).toMatchObject({ rejectedSamples: 6, reasons: { value_infinite: 6 }, internalErrors: 0 });
    expect(await delivered()).toEqual([1 / 0, -1 / 0]);
  });

  test('a gauge keeps its last good value when a bad one follows', async () => {
    client.gauge('depth', 5);
    for (const value of [null, undefined, Number.NaN, 10n]) untyped.gauge('depth', value);
    client.count('hits', 3);
    client.count('hits', Number.MAX_VALUE);
    client.count('hits', Number.MAX_VALUE);
    expect((await delivered()).sort((a, b) => a - b)).toEqual([5, Number.MAX_VALUE]);
    expect(client.stats().reasons).toEqual({ value_type: 3, value_nan: 1, value_infinite: 1 });
  });

  test.each([
    ...STRANGE,
    ...PROXIES,
    ['a string', '1700000000000'],
    ['NaN', Number.NaN],
    ['∞', 1 / 0],
    ['2^60', 2 ** 60],
  ])('a timestamp that is %s is rejected', async (_, timestamp) => {
    for (const method of ['gauge', 'count', 'counter', 'distribution'] as const)
      untyped[method]('bad', 1, [], timestamp);
    untyped.series('bad', 'gauge').record(1, timestamp);
    untyped.series('bad', 'distribution').recordSketch(new DDSketch(), timestamp);
    untyped.recordColumns([client.series('bad', 'gauge')], timestamp, Float64Array.of(1));
    untyped.series('bad', 'gauge').end(timestamp);
    untyped.endSeries('bad', 'gauge', [], timestamp);
    expect(client.stats()).toMatchObject({ samples: 9, rejectedSamples: 9, internalErrors: 0 });
    client.gauge('good', 7);
    expect(await delivered()).toEqual([7]);
  });

  test.each([
    ...STRANGE,
    ...PROXIES,
    ['a string', '30000'],
    ['0', 0],
    ['negative', -1],
    ['NaN', Number.NaN],
    ['∞', 1 / 0],
    ['beyond 31 days', 31 * 86_400_000 + 1],
  ])('an interval that is %s is rejected', async (_, intervalMs) => {
    for (const method of ['gauge', 'counter'] as const) untyped[method]('bad', 1, [], undefined, intervalMs);
    expect(client.stats()).toMatchObject({ samples: 2, rejectedSamples: 2, series: 0, internalErrors: 0 });
    expectTidemarkError(() => untyped.series('bad', 'gauge', [], intervalMs));
    expect(rejections[0]).toMatchObject({ field: 'intervalMs', limit: '1 to 2678400000 ms', points: 1 });
    client.gauge('good', 7);
    expect(await delivered()).toEqual([7]);
  });

  test.each([...STRANGE, ...PROXIES, ['undefined', undefined], ['1', 1], ['empty', ''], ['long', 'x'.repeat(1e7)]])(
    'a metric that is %s is rejected',
    async (_, metric) => {
      for (const method of ['gauge', 'count', 'counter', 'distribution'] as const) untyped[method](metric, 1);
      expect(client.stats()).toMatchObject({ samples: 4, rejectedSamples: 4, series: 0, internalErrors: 0 });
      expectTidemarkError(() => untyped.series(metric, 'gauge'));
      client.gauge('good', 7);
      expect(await delivered()).toEqual([7]);
    },
  );

  const holes = new Array(3);
  const getter = Object.defineProperty(['a'], 0, { get: thrower });
  test.each([
    ...STRANGE,
    ...PROXIES,
    ['a string', 'env:prod'],
    ['a set', new Set(['a'])],
    ['holes', holes],
    ['a getter that throws', getter],
    ['endless holes', new Array(2 ** 32 - 1)],
    ['too many', Array.from({ length: 1001 }, () => 'a')],
    ['a long one', ['x'.repeat(1e7)]],
    ...[...STRANGE, ['undefined', undefined] as const, ['1', 1] as const].map(
      ([name, value]) => [`an array with ${name}`, ['a', value]] as const,
    ),
  ])('tags that are %s are rejected', async (_, tags) => {
    client.gauge('good', 7, ['a', '1']);
    untyped.gauge('good', 1, tags);
    untyped.distribution('bad', 1, tags);
    expect(client.stats()).toMatchObject({ samples: 3, rejectedSamples: 2, series: 1, internalErrors: 0 });
    expectTidemarkError(() => untyped.series('bad', 'gauge', tags));
    expect(await delivered()).toEqual([7]);
  });

  test('tags whose elements change between two reads are read once', async () => {
    let reads = 0;
    const changing = Object.defineProperty([''], 0, { get: () => (reads++ === 1 ? 'second' : 'first') });
    untyped.gauge('m', 1, changing);
    client.gauge('m', 2, ['first']);
    client.gauge('m', 3, ['second']);
    expect((await delivered()).sort()).toEqual([2, 3]);
    for (const { tags, value } of intake.delivered) expect(tags).toEqual([value === 2 ? 'first' : 'second']);
  });

  test('names with a separator are not those of another series', async () => {
    client.gauge('m', 1, ['a', 'b']);
    client.gauge('m', 9, ['a\0b']);
    client.gauge('m\0a', 9, ['b']);
    client.gauge('m', 2, ['ab']);
    expect((await delivered()).sort()).toEqual([1, 2, 9]);
    expect(client.stats().reasons).toEqual({ metric_control_character: 1 });
  });

  test.each([...STRANGE, ...PROXIES, ['undefined', undefined], ['a name of Object', 'constructor']])(
    'series refuses a kind that is %s',
    (_, kind) => expectTidemarkError(() => untyped.series('m', kind)),
  );

  test.each([...STRANGE, ...PROXIES, ['undefined', undefined], ['an array', [1]]])(
    'recordColumns refuses handles and values that are %s',
    async (_, given) => {
      const handles = [client.series('m', 'gauge')];
      expectTidemarkError(() => untyped.recordColumns(given, 1000, Float64Array.of(1)));
      expectTidemarkError(() => untyped.recordColumns([given], 1000, Float64Array.of(1)));
      expectTidemarkError(() => untyped.recordColumns(handles, 1000, given));
      client.recordColumns(handles, 1000, Float64Array.of(1));
      expect(await delivered()).toEqual([1]);
    },
  );

  test('recordColumns notices a list of handles that has grown', async () => {
    const handles = [client.series('m', 'gauge')];
    client.recordColumns(handles, 1000, Float64Array.of(1));
    handles.push(client.series('n', 'gauge'));
    client.recordColumns(handles, 2000, Float64Array.of(2, 3));
    expect(await delivered()).toEqual([1, 2, 3]);
  });

  test('a reason of a wrong type is reported once, and counted each time', () => {
    for (let i = 0; i < 100; i++) {
      untyped.gauge('m', null);
      untyped.gauge('m', 1, [], 'yesterday');
      untyped.gauge(null, 1);
      untyped.gauge('m', 1, [undefined]);
      untyped.gauge('m', 1, getter);
      client.count('m', Number.NaN);
    }
    const reported = new Map<string, number>();
    for (const { reason } of rejections) reported.set(reason, (reported.get(reason) ?? 0) + 1);
    expect(Object.fromEntries(reported)).toEqual({
      ...{ value_type: 1, timestamp_type: 1, metric_type: 1, tag_type: 1, arguments_unreadable: 1, value_nan: 100 },
    });
    expect(client.stats().reasons).toEqual({
      ...{ value_type: 100, timestamp_type: 100, metric_type: 100, tag_type: 100, arguments_unreadable: 100 },
      value_nan: 100,
    });
    expect(rejections[0]).toEqual({
      ...{ reason: 'value_type', field: 'value', limit: 'a number', points: 1 },
      message: 'value: null of m (limit: a number)',
    });
  });

  test.each([
    ...STRANGE,
    ...PROXIES,
    [
      'a getter',
      {
        get timeoutMs() {
          return thrower();
        },
      },
    ],
  ])('flush with %s for options resolves', async (_, options) => {
    client.gauge('m', 1);
    const flushes = [untyped.flush(options), untyped.flush({ timeoutMs: options })];
    await world.clock.advance(10_000);
    expect(await Promise.all(flushes)).toMatchObject([{ outcome: 'acknowledged' }, { outcome: 'acknowledged' }]);
  });

  test('no combination throws, and what is good arrives', async () => {
    const strange = [...STRANGE, ...PROXIES].map(([, value]) => value);
    const any = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withSparseArray: true });
    // fast-check itself cannot hold a hostile proxy: they are drawn by their index.
    const drawn = fc.tuple(fc.oneof(any, fc.string(), fc.double()), fc.nat({ max: strange.length * 2 }));
    const anything = drawn.map(
      ([value, i]) =>
        () =>
          i < strange.length ? strange[i] : value,
    );
    const method = fc.constantFrom('gauge', 'count', 'counter', 'distribution');
    const call = fc.tuple(method, anything, anything, anything, anything);
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 20 }), async (calls) => {
        const run = await setUp({ maxBatchBytes: 500, onRejection: thrower });
        const target = run.client as unknown as Untyped;
        for (const [name, ...draws] of calls) {
          const given = draws.map((draw) => draw());
          target[name](...given);
          throwsTidemarkErrorsAlone(() => target.series(given[0], name, given[1]).record(given[2], given[3]));
          throwsTidemarkErrorsAlone(() => target.recordColumns(given[0], given[1], given[2]));
          target.series('own', name).record(given[2], given[3]);
          target.series('own', name).end(given[3]);
          target.endSeries(...given);
          target.endSeries(given[0], name, given[1], given[3]);
          run.client.count('good', 1);
        }
        const flushed = run.client.flush({ timeoutMs: 60_000 });
        await run.world.clock.advance(60_000);
        expect((await flushed).outcome).toBe('acknowledged');
        expect(run.client.stats()).toMatchObject({ internalErrors: 0, pendingPoints: 0 });
        const good = run.intake.delivered.filter(({ metric }) => metric === 'good');
        expect(good.reduce((sum, { value }) => sum + value, 0)).toBe(calls.length);
      }),
      { numRuns: 300 },
    );
  });
});

test('callbacks that throw, or record themselves, do not disturb the client', async () => {
  let calls = 0;
  const { world, intake, client } = await setUp({
    onRejection: () => {
      calls++;
      client.count('own', Number.NaN);
      throw new Error('the program');
    },
  });
  for (let i = 0; i < 3; i++) client.count('m', Number.NaN);
  client.count('m', 1);
  client.flush();
  await world.clock.run(() => client.stats().pendingPoints === 0, 60_000);
  expect(intake.delivered).toMatchObject([{ value: 1 }]);
  expect(client.stats()).toMatchObject({ callbackErrors: 3, reasons: { value_nan: 6 } });
  expect(calls).toBe(3);
});

test('a callback that records and flushes while batches are given up makes no value of its own', async () => {
  let calls = 0;
  const { world, intake, client } = await setUp({
    memoryBytes: 400,
    maxBatchBytes: 240,
    onRejection: ({ reason }) => {
      expect(reason).toBe('memory_bound');
      calls++;
      for (let i = 0; i < 30; i++) client.gauge(`m${i}`, 100 + calls);
      client.count('hits', 1);
      client.flush();
    },
  });
  intake.up = false;
  intake.breakAll();
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 30; i++) client.gauge(`m${i}`, 1 + round);
    client.flush();
    await world.clock.advance(100);
  }
  intake.up = true;
  const flushed = client.flush({ timeoutMs: 60_000 });
  await world.clock.advance(60_000);
  await flushed;
  expect(calls).toBeGreaterThan(20);
  expect(intake.violations).toEqual([]);
  expect(client.stats()).toMatchObject({ internalErrors: 0, callbackErrors: 0, pendingPoints: 0 });
  expect(intake.delivered.length).toBeGreaterThan(0);
  for (const { value } of intake.delivered) expect(value).toBeGreaterThan(0);
});

describe('options of connect', () => {
  const address = '127.0.0.1:1';
  test.each([
    ['none', undefined, 'options'],
    ['null', null, 'options'],
    [
      'a getter',
      {
        name: 'x',
        address,
        get key() {
          return thrower();
        },
      },
      'options',
    ],
    ['no name', { address }, 'name'],
    ['a name of a wrong type', { name: 5, address }, 'name'],
    ['no address', { name: 'x' }, 'addresses'],
    ['an empty address', { name: 'x', address: ' ' }, 'addresses'],
    ['an address of a wrong type', { name: 'x', address: [address, 5n] }, 'addresses'],
    ['an address without a port', { name: 'x', address: 'nonsense' }, 'address'],
    ['the address of a page', { name: 'x', address: [address, 'http://127.0.0.1:4270'] }, 'address'],
    ['an address with a line break', { name: 'x', address: 'a\nb:1' }, 'address'],
    ['an unknown option', { name: 'x', addres: address }, 'addres'],
    ['a BigInt', { name: 'x', address, memoryBytes: 10n }, 'memoryBytes'],
    ['null for a number', { name: 'x', address, closeTimeoutMs: null }, 'closeTimeoutMs'],
    ['a text for a number', { name: 'x', address, backoffMs: '5' }, 'backoffMs'],
    ['an interval of NaN', { name: 'x', address, flushIntervalMs: Number.NaN }, 'flushIntervalMs'],
    ['an absurd interval', { name: 'x', address, flushIntervalMs: Number.MAX_VALUE }, 'flushIntervalMs'],
    ['a tiny interval', { name: 'x', address, flushIntervalMs: 5e-324 }, 'flushIntervalMs'],
    ['a callback that is none', { name: 'x', address, onRejection: 'log' }, 'onRejection'],
    ['a warning callback that is none', { name: 'x', address, onWarning: {} }, 'onWarning'],
    ['a folder of a wrong type', { name: 'x', address, spoolFolder: 5 }, 'spoolFolder'],
    ['a folder with NUL', { name: 'x', address, spoolFolder: 'a\0b' }, 'spoolFolder'],
    ['a key with a line break', { name: 'x', address, key: 'a\nb' }, 'key'],
    ['a key of a wrong type', { name: 'x', address, key: Symbol('k') }, 'key'],
    ['credentials that are none', { name: 'x', address, credentials: {} }, 'credentials'],
    ['a keepalive of NaN', { name: 'x', address, keepaliveMs: Number.NaN }, 'keepaliveMs'],
  ])('%s: it rejects with the option', async (_, options, field) => {
    const opened = connect(options as never);
    await expect(opened).rejects.toMatchObject({ code: 'invalid_argument', detail: { field } });
    await expect(opened).rejects.not.toMatchObject({ message: expect.stringContaining('a\nb') });
  });

  test('an option that is undefined is left out', async () => {
    const client = await connect({
      name: 'x',
      address,
      flushIntervalMs: undefined,
      key: undefined,
      maxSeries: undefined,
    });
    expect(client.stats().flushIntervalMs).toBe(1000);
    await client.close();
  });
});

function throwsTidemarkErrorsAlone(call: () => void): void {
  try {
    call();
  } catch (error) {
    if (!isTidemarkError(error)) throw error;
  }
}

function expectTidemarkError(call: () => unknown): void {
  let thrown: unknown;
  try {
    call();
  } catch (error) {
    thrown = error;
  }
  expect(isTidemarkError(thrown, 'invalid_argument')).toBe(true);
}

async function setUp(options: Partial<ClientOptions>) {
  const world = new SimulatedWorld({ seed: 1 });
  const intake = new ModelIntake({ clock: world.clock, random: new SeededRandom('intake') });
  const client = await Client.open(
    { connector: intake, addresses: ['a:1'], clock: world.clock, random: world.random.fork('client') },
    { name: 'test', flushIntervalMs: 0, ...options },
  );
  return { world, intake, client };
}
