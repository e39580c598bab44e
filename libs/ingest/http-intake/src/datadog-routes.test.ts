import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { IntakeRequest, RequestResult } from '@tidemark/intake';
import { SystemRandom } from '@tidemark/node-runtime';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import Fastify, { type FastifyInstance } from 'fastify';
import { type HttpIntakeOptions, httpIntake } from './index.ts';

const T = 1_700_000_000;
const ACKED: RequestResult = { outcome: 'acked', acceptedPoints: 1, rejections: [], retryAfterMs: 0 };
const GOOD = { series: [{ metric: 'm', points: [{ timestamp: T, value: 1 }] }] };

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

/** Sets up the routes with an intake that returns configured results, which are hard to cause in a real one. */
function setUp(send: () => Promise<RequestResult> = async () => ACKED, options: Partial<HttpIntakeOptions> = {}) {
  const received: string[] = [];
  const counted: unknown[] = [];
  const scope = {};
  const open = (tenant: string) => {
    const request: Pick<IntakeRequest, 'scope' | 'series' | 'isRefused' | 'point' | 'sketch' | 'reject' | 'send'> = {
      scope,
      series: ({ metric }) => received.push(`${tenant} ${metric}`),
      isRefused: () => false,
      point: () => {},
      sketch: () => {},
      reject: () => {},
      send,
    };
    return request as IntakeRequest;
  };
  const app = Fastify();
  httpIntake(app, {
    intake: {
      open,
      receive: (_tenant, decode) => decode(),
      openKeyed: async (tenant, { clientSession, sequence, mapEpoch }) => {
        received.push(`${Buffer.from(clientSession).toString('hex')} ${sequence} ${mapEpoch}`);
        return open(tenant);
      },
      mapEpoch: 7,
      state: async (tenant, metric, change) => {
        received.push(`${tenant} ${metric} ${JSON.stringify(change)}`);
      },
      countError: (tenant, error) => counted.push([tenant, isTidemarkError(error) && error.detail.reason]),
    },
    random: new SystemRandom(),
    clock: { wallMs: () => T * 1000 },
    yieldTurn: async () => undefined,
    tenantOf: (request, scope, otherKey) => {
      const key = request.headers['dd-api-key'] ?? otherKey;
      if (key === 'sender' && scope === 'send') return 'acme';
      if (key === 'reader' && scope === 'read') return 'acme';
      if (key === 'sender' || key === 'reader') throw new TidemarkError('permission_denied', `it lacks ${scope}`);
      throw new TidemarkError('unauthenticated', 'the key is not known');
    },
    ...options,
  });
  apps.push(app);
  const post = (payload: unknown, headers: Readonly<Record<string, string>> = {}, url = '/api/v2/series') =>
    app.inject({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json', 'dd-api-key': 'sender', ...headers },
      payload: Buffer.isBuffer(payload) || typeof payload === 'string' ? payload : JSON.stringify(payload),
    });
  return { app, received, counted, post };
}

const rejection = (reason: string, points: number) => ({
  reason,
  field: 'timestamp',
  limit: '10 ms',
  points,
  message: `timestamp: ${reason} (limit: 10 ms)`,
});

describe('metric payloads', () => {
  test('a durable payload is answered by 202 without errors', async () => {
    const { post, received } = setUp();
    const response = await post(GOOD);
    expect([response.statusCode, response.json()]).toEqual([202, { errors: [] }]);
    expect(response.headers['content-type']).toMatch(/^application\/json/);
    expect(received).toEqual(['acme m']);
  });

  test('a payload with a key is recognized by it, and its response has the epoch for the next key', async () => {
    const { app, post, received } = setUp();
    const response = await post(GOOD, { 'idempotency-key': ` ${'Ab'.repeat(16)}.12.3` });
    expect([response.statusCode, response.json(), response.headers['tidemark-map-epoch']]).toEqual([
      202,
      { errors: [] },
      '7',
    ]);
    expect(received).toEqual([`${'ab'.repeat(16)} 12 3`, 'acme m']);
    const headers = { 'dd-api-key': 'sender' };
    const validated = await app.inject({ url: '/api/v1/validate', headers });
    expect(validated.headers['tidemark-map-epoch']).toBe('7');
  });

  test('a payload with some refused points is accepted, and the response names them', async () => {
    const rejections = [rejection('timestamp_ahead', 1), rejection('timestamp_behind', 2)];
    const { post } = setUp(async () => ({ ...ACKED, rejections }));
    const response = await post(GOOD);
    expect([response.statusCode, response.json()]).toEqual([
      202,
      {
        errors: [
          '1 point left out, timestamp: timestamp_ahead (limit: 10 ms)',
          '2 points left out, timestamp: timestamp_behind (limit: 10 ms)',
        ],
      },
    ]);
  });

  test.each([
    ['timestamp_ahead', 400],
    ['request_too_large', 413],
  ])('a payload without accepted points for %s is refused by %d', async (reason, status) => {
    const rejections = [rejection(reason, 2)];
    const { post } = setUp(async () => ({ outcome: 'refused', acceptedPoints: 0, rejections, retryAfterMs: 0 }));
    const response = await post(GOOD);
    expect([response.statusCode, response.json()]).toEqual([status, { errors: [expect.stringContaining(reason)] }]);
  });

  test.each([
    ['lane_full', 503],
    ['requests_pending', 503],
    ['tenant_pending', 429],
  ])('a payload that must be retried for %s is answered by %d, with the time to retry', async (reason, status) => {
    const rejections = [rejection('timestamp_ahead', 1), rejection(reason, 0)];
    const { post } = setUp(async () => ({ outcome: 'retry', acceptedPoints: 0, rejections, retryAfterMs: 1200 }));
    const response = await post(GOOD);
    expect([response.statusCode, response.json()]).toEqual([status, { errors: [expect.stringContaining(reason)] }]);
    expect(response.headers).toMatchObject({ 'retry-after': '2', 'x-ratelimit-reset': '2' });
  });

  test('a payload is answered by 503 while no intake accepts points', async () => {
    const open = () => {
      throw new TidemarkError('unavailable', 'the intake is not ready');
    };
    const intake = {
      open,
      receive: <T>(_tenant: string, decode: () => Promise<T>) => decode(),
      openKeyed: async () => open(),
      mapEpoch: undefined,
      state: async () => undefined,
      countError: () => undefined,
    };
    const { post } = setUp(undefined, { intake });
    const response = await post(GOOD);
    expect([response.statusCode, response.json()]).toEqual([503, { errors: ['the intake is not ready'] }]);
    expect(response.headers['retry-after']).toBe('1');
  });

  test.each([
    ['invalid JSON', '{"series":', {}, 400],
    ['an empty body', '', {}, 400],
    ['series that are not a list', '{"series":{}}', {}, 400],
    ['invalid protobuf', 'x', { 'content-type': 'application/x-protobuf' }, 400],
    ['another content type', 'x', { 'content-type': 'text/plain' }, 415],
    ['an invalid content type', 'x', { 'content-type': 'nonsense' }, 415],
    ['another coding', 'x', { 'content-encoding': 'br' }, 415],
    ['invalid gzip', 'x', { 'content-encoding': 'gzip' }, 400],
    ['a malformed key', '{"series":[]}', { 'idempotency-key': 'a' }, 400],
    ['a key with a negative sequence', '{"series":[]}', { 'idempotency-key': `${'ab'.repeat(16)}.-1.1` }, 400],
  ])('a payload with %s is refused', async (_, payload, headers, status) => {
    const { post, received } = setUp();
    const response = await post(payload, headers);
    expect([response.statusCode, response.json()]).toEqual([status, { errors: [expect.any(String)] }]);
    expect(received).toEqual([]);
  });

  test('a refusal says what was received and what to do', async () => {
    const { post } = setUp();
    const errorOf = async (payload: string, headers: Record<string, string> = {}) =>
      (await post(payload, headers)).json().errors;
    expect(await errorOf('x', { 'content-type': 'application/x-www-form-urlencoded' })).toEqual([
      'content-type: application/x-www-form-urlencoded ' +
        '(limit: application/json, text/json, application/x-protobuf, application/protobuf); ' +
        "with curl add -H 'content-type: application/json'",
    ]);
    expect(await errorOf('x', { 'content-encoding': 'br' })).toEqual([
      'content-encoding: br (limit: identity, gzip, deflate, zstd, zstd1)',
    ]);
    expect(await errorOf('x', { 'content-encoding': 'gzip' })).toEqual([
      'body: not gzip, although content-encoding says so',
    ]);
    expect(await errorOf('')).toEqual(['body: empty']);
    expect(await errorOf('{')).toEqual(['body: not JSON at position 1']);
  });

  test('a payload that is too large, as received or decoded, is refused by 413', async () => {
    const { post } = setUp(undefined, { datadog: { bodyBytes: 1000, decodedBytes: 2000 } });
    const large = `{"series":[]${' '.repeat(1500)}}`;
    const asItComes = await post(large);
    expect([asItComes.statusCode, asItComes.json()]).toEqual([
      413,
      { errors: ['bodyBytes: the body is too large (limit: datadog.bodyBytes, 1000)'] },
    ]);
    expect((await post(gzipSync(large), { 'content-encoding': 'gzip' })).statusCode).toBe(202);
    const bomb = await post(gzipSync(' '.repeat(100_000)), { 'content-encoding': 'gzip' });
    const errors = ['body: too many bytes after decoding (limit: datadog.decodedBytes, 2000)'];
    expect([bomb.statusCode, bomb.json()]).toEqual([413, { errors }]);
    // The limit is that of all frames together, also where the first one has used it up.
    const frames = Buffer.concat([zstdCompressSync(' '.repeat(2000)), zstdCompressSync('  ')]);
    const many = await post(frames, { 'content-encoding': 'zstd' });
    expect([many.statusCode, many.json()]).toEqual([413, { errors }]);
  });

  test('protobuf payloads name a series to the intake once, until the intake drops its handles', async () => {
    const { post, received } = setUp();
    // A series `m` with one point without fields.
    const body = Buffer.from('0a0512016d2200', 'hex');
    for (let i = 0; i < 3; i++) {
      expect((await post(body, { 'content-type': 'application/x-protobuf' })).statusCode).toBe(202);
    }
    expect(received).toEqual(['acme m']);
  });

  test('a payload that is refused as a whole is counted by tenant and reason', async () => {
    const { post, counted } = setUp();
    await post('{');
    await post(GOOD, { 'content-type': 'text/plain' });
    await post(GOOD, { 'dd-api-key': 'wrong' });
    expect(counted).toEqual([
      ['acme', 'body_malformed'],
      ['acme', 'content_type'],
      [undefined, undefined],
    ]);
  });

  test('a payload waits while as many as allowed are decoded', async () => {
    let sent = 0;
    const send = async () => {
      sent++;
      return ACKED;
    };
    const { post } = setUp(send, { limits: { decodings: 1 } });
    const responses = await Promise.all(Array.from({ length: 20 }, () => post(GOOD)));
    expect(responses.map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 20 }, () => 202));
    expect(sent).toBe(20);
  });

  test('a payload is answered by 503 when other bodies fill the room, and every outcome releases the room', async () => {
    const body = JSON.stringify(GOOD);
    const { post } = setUp(undefined, { limits: { bodiesBytes: body.length } });
    const tooMuch = await post(`${body} `);
    expect([tooMuch.statusCode, tooMuch.headers['retry-after']]).toEqual([503, '1']);
    expect((await setUp(undefined, { limits: { bodiesBytesPerTenant: 9 } }).post(body)).statusCode).toBe(429);
    // A request that kept its room would block the next one.
    for (const bad of ['{', '', 'x'.repeat(body.length), body]) expect((await post(bad)).statusCode).toBeLessThan(429);
    expect((await post(body)).statusCode).toBe(202);
  });
});

describe('the other forms of Datadog', () => {
  const check = { check: 'up', status: 0, host_name: 'a', tags: [] };
  const points = [[T, 1]];
  // A series of the metric `m` with one sketch, which has one value of the key 1338.
  const sketches = Buffer.from('0a120a016d3a0d0880e2cfaa063a02f414420101', 'hex');

  test.each([
    ['/api/v1/series', { series: [{ metric: 'm', points }] }, 'm'],
    ['/api/v1/distribution_points', { series: [{ metric: 'm', points: [[T, [1]]] }] }, 'm'],
    ['/api/v1/check_run', check, 'service_check.up'],
    ['/api/v1/check_run', [check], 'service_check.up'],
  ])('%s is answered by 202 with the status', async (url, body, metric) => {
    const { post, received } = setUp();
    for (const contentType of ['application/json', 'text/json']) {
      const response = await post(body, { 'content-type': contentType }, url);
      expect([response.statusCode, response.json()]).toEqual([202, { status: 'ok' }]);
    }
    expect(received).toEqual([`acme ${metric}`]);
  });

  test('/api/beta/sketches is answered by 202', async () => {
    const { post, received } = setUp();
    const response = await post(sketches, { 'content-type': 'application/x-protobuf' }, '/api/beta/sketches');
    expect([response.statusCode, response.json()]).toEqual([202, { errors: [] }]);
    expect(received).toEqual(['acme m']);
  });

  test('refused points are in the answer, and alone they are an error', async () => {
    const rejections = [rejection('timestamp_ahead', 1)];
    const body = { series: [{ metric: 'm', points }] };
    const partly = await setUp(async () => ({ ...ACKED, rejections })).post(body, {}, '/api/v1/series');
    expect([partly.statusCode, partly.json()]).toEqual([
      202,
      { status: 'ok', errors: ['1 point left out, timestamp: timestamp_ahead (limit: 10 ms)'] },
    ]);
    const refused = { outcome: 'refused', acceptedPoints: 0, rejections, retryAfterMs: 0 } as const;
    const wholly = await setUp(async () => refused).post(body, {}, '/api/v1/series');
    expect([wholly.statusCode, wholly.json()]).toEqual([400, { errors: [expect.any(String)] }]);
  });

  test.each(['/api/v1/series', '/api/v1/distribution_points', '/api/v1/check_run', '/api/beta/sketches'])(
    '%s refuses a wrong key and a wrong body as version 2 does',
    async (url) => {
      const { post, counted } = setUp();
      expect((await post('{', { 'dd-api-key': 'wrong' }, url)).statusCode).toBe(403);
      const type = url.endsWith('sketches') ? 'application/x-protobuf' : 'application/json';
      const malformed = await post('{', { 'content-type': type }, url);
      expect([malformed.statusCode, malformed.json()]).toEqual([400, { errors: [expect.any(String)] }]);
      expect((await post('x', { 'content-type': 'text/plain' }, url)).statusCode).toBe(415);
      expect(counted).toContainEqual(['acme', 'body_malformed']);
    },
  );
});

describe('a key', () => {
  test.each([
    ['sender', 202],
    ['reader', 403],
    ['wrong', 403],
  ])('%s is answered by %d, before the body is read', async (key, status) => {
    const { post } = setUp();
    expect((await post(GOOD, { 'dd-api-key': key })).statusCode).toBe(status);
    const wrongBody = await post('{', { 'dd-api-key': key });
    expect(wrongBody.statusCode).toBe(status === 202 ? 400 : status);
    expect(wrongBody.json()).toEqual({ errors: [expect.any(String)] });
  });

  test('a key may be in the address when the header has none', async () => {
    const { app } = setUp();
    const post = (key: string) => app.inject({ method: 'POST', url: `/api/v2/series?api_key=${key}`, payload: GOOD });
    expect([(await post('sender')).statusCode, (await post('wrong')).statusCode]).toEqual([202, 403]);
  });

  test.each([
    ['sender', 200],
    ['reader', 200],
    ['wrong', 403],
    ['', 403],
  ])('the key %j is validated with %d', async (key, status) => {
    const { app } = setUp();
    const header = await app.inject({ url: '/api/v1/validate', headers: { 'dd-api-key': key } });
    const address = await app.inject({ url: `/api/v1/validate?api_key=${key}` });
    for (const response of [header, address]) {
      expect(response.statusCode).toBe(status);
      expect(response.json()).toEqual(status === 200 ? { valid: true } : { errors: ['the key is not known'] });
    }
  });
});

test('a valid key comes with a note while any key is accepted', async () => {
  const { app } = setUp(undefined, { acceptsAnyKey: () => true });
  const validated = await app.inject({ url: '/api/v1/validate', headers: { 'dd-api-key': 'sender' } });
  expect(validated.json()).toEqual({
    valid: true,
    notes: ['no key exists yet: any key is accepted on loopback'],
  });
});

describe('what a user states of a metric', () => {
  test("is taken by Datadog's names, and an empty field takes it back", async () => {
    const { app, received } = setUp();
    const put = (payload: object) =>
      app.inject({ method: 'PUT', url: '/api/v1/metrics/web.hits', headers: { 'dd-api-key': 'sender' }, payload });
    const reply = await put({
      type: 'counter',
      unit: 'byte',
      description: '',
      statsd_interval: 10,
      short_name: 'hits',
    });
    expect([reply.statusCode, reply.json()]).toEqual([
      200,
      { type: 'counter', unit: 'byte', description: '', statsd_interval: 10 },
    ]);
    expect(received).toEqual(['acme web.hits {"kind":3,"unit":"byte","description":null,"intervalMs":10000}']);
  });

  test.each([
    [{ type: 'histogram' }, 'type'],
    [{ unit: 7 }, 'unit'],
    [{ statsd_interval: -1 }, 'statsd_interval'],
    [['type'], 'body'],
  ])('%j is refused by its field', async (payload, field) => {
    const { app, received } = setUp();
    const headers = { 'dd-api-key': 'sender' };
    const reply = await app.inject({ method: 'PUT', url: '/api/v1/metrics/web.hits', headers, payload });
    expect([reply.statusCode, reply.json().errors[0]]).toEqual([400, expect.stringMatching(new RegExp(`^${field}: `))]);
    expect(received).toEqual([]);
  });
});
