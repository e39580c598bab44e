import { client as datadog, v1 } from '@datadog/datadog-api-client';
import { afterEach, describe, expect, test } from '@jest/globals';
import { type DescribedMetric, QueryReply, StatusReply } from '@tidemark/contract';
import { SERIES_CLASS } from '@tidemark/model';
import { type Clock, TidemarkError, WorkSlice } from '@tidemark/ports';
import type { QueryAnswer, QueryReader } from '@tidemark/query';
import type { FastifyInstance } from 'fastify';
import { type HttpApiOptions, httpApi } from './index.ts';

const FROM_MS = 1_700_000_000_000;
const TO_MS = FROM_MS + 60_000;
const COMPLETE_MS = TO_MS - 2_500;
const clock: Clock = { wallMs: () => TO_MS, monotonicMs: () => 0, setTimer: () => ({ cancel: () => {} }) };

const TAGS_GAP = { topic: 'tags', partition: 3, offset: 9, reason: 'bit rot', records: 1 };
const MESSAGE = QueryReply.fromPartial({
  series: [
    {
      metric: 'system.load.1',
      tagSet: ['host:a'],
      scope: 'host:a,env:prod',
      expression: 'avg:system.load.1{env:prod} by {host}',
      intervalMs: 20_000,
      timesMs: [FROM_MS, FROM_MS + 40_000],
      values: [1.5, 2],
      kind: 1,
      completeSteps: 1,
    },
  ],
  completeThroughMs: COMPLETE_MS,
  gaps: [{ topic: 'points', partition: 0, offset: 7, reason: 'skipped', records: 1 }],
  notes: ['a note'],
  pointsRead: 12,
  seriesRead: 1,
});
const QUERY = 'avg:system.load.1{env:prod} by {host}';
const REPLY: QueryAnswer = { ...MESSAGE, expressions: [{ text: QUERY, aggregator: 'avg' }], groupBy: ['host'] };
const QUERY_URL = `/api/v1/query?query=${encodeURIComponent(QUERY)}&from=${FROM_MS / 1000}&to=${TO_MS / 1000}`;

interface Asked {
  readonly tenant: string;
  readonly request: unknown;
  readonly signal: AbortSignal | undefined;
}

const apps: FastifyInstance[] = [];

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

const LOAD: DescribedMetric = {
  metric: 'system.load.1',
  classes: [SERIES_CLASS.reading, SERIES_CLASS.count],
  series: 3,
  lastDayMs: 86_400_000,
  metadata: undefined,
};

/** The API over a query service with a given answer, and an access with one key. */
function setUp(answer: () => QueryAnswer | Promise<QueryAnswer> = () => REPLY, options: Partial<HttpApiOptions> = {}) {
  const asked: Asked[] = [];
  const service: QueryReader = {
    run: async (tenant, request, use, signal) => {
      asked.push({ tenant, request, signal });
      return use(await answer(), new WorkSlice(undefined, signal));
    },
    runFormulas: () => Promise.reject(new Error('not asked here')),
    metrics: async (tenant, request, signal) => {
      asked.push({ tenant, request, signal });
      return { metrics: [LOAD], errors: [], gaps: [TAGS_GAP] };
    },
    metric: async (_, name) => {
      if (name === LOAD.metric) return { description: LOAD, gaps: [] };
      throw new TidemarkError('not_found', `no metric has the name ${name}; did you mean ${LOAD.metric}?`);
    },
    tags: async (tenant, request, signal) => {
      asked.push({ tenant, request, signal });
      const keys = [{ key: 'host', values: 1, series: 3, top: [{ value: 'a', series: 3 }] }];
      return { keys, errors: [], gaps: [TAGS_GAP] };
    },
    status: async (tenant, signal) => {
      asked.push({ tenant, request: undefined, signal });
      return StatusReply.fromPartial({
        points: [{ partition: 0, lanes: [{ session: Buffer.from([0xab, 1]), lane: 4, markMs: 9 }] }],
        sessions: [{ session: Buffer.from([0xcd]), rejectedPoints: { tag_too_long: 4 } }],
        latenessMs: 3000,
        forOperator: true,
      });
    },
  };
  const access = {
    tenantOf: (key: string | undefined, scope: string, isLoopback: boolean) => {
      if (key === 'acme-key' && scope === 'read') return 'acme';
      if (key === undefined && isLoopback) return 'default';
      throw new TidemarkError('unauthenticated', 'a key is needed');
    },
  };
  const app = httpApi({ service, access, clock, ...options });
  apps.push(app);
  return { app, asked };
}

describe('data that is not accepted', () => {
  test.each([
    '/api/v1/events',
    '/api/v1/metadata',
    '/intake/?api_key=K',
    '/api/v2/logs',
    '/api/intake/metrics/v3/series',
  ])('POST %s is refused by 400 before its body is read, so that agents drop it, and counted', async (url) => {
    const counted: unknown[] = [];
    const { app } = setUp(undefined, { onNotTaken: ({ detail }) => counted.push(detail.reason) });
    const headers = { 'content-type': 'application/x-protobuf' };
    const response = await app.inject({ method: 'POST', url, headers, payload: Buffer.alloc(8) });
    expect([response.statusCode, response.json()]).toEqual([
      400,
      expect.objectContaining({ errors: [expect.stringContaining('not accepted')] }),
    ]);
    expect(counted).toEqual(['not_taken']);
  });
});

describe("Datadog's API", () => {
  test('a query is answered in the format of Datadog, with completeness, gaps and notes in addition', async () => {
    const { app, asked } = setUp();
    const response = await app.inject(QUERY_URL);
    expect(response.statusCode).toBe(200);
    expect(asked[0]).toMatchObject({ tenant: 'default', request: { query: QUERY, fromMs: FROM_MS, toMs: TO_MS } });
    expect(response.json()).toEqual({
      status: 'ok',
      res_type: 'time_series',
      resp_version: 1,
      query: QUERY,
      from_date: FROM_MS,
      to_date: TO_MS,
      series: [
        {
          unit: null,
          query_index: 0,
          aggr: 'avg',
          metric: 'system.load.1',
          display_name: 'system.load.1',
          tag_set: ['host:a'],
          scope: 'host:a,env:prod',
          expression: QUERY,
          interval: 20,
          length: 2,
          complete_length: 1,
          start: FROM_MS,
          end: FROM_MS + 59_999,
          pointlist: [
            [FROM_MS, 1.5],
            [FROM_MS + 40_000, 2],
          ],
          attributes: {},
        },
      ],
      values: [],
      times: [],
      message: '',
      group_by: ['host'],
      complete_through: COMPLETE_MS / 1000,
      errors: [],
      gaps: [{ topic: 'points', partition: 0, offset: 7, reason: 'skipped', records: 1 }],
      notes: ['a note'],
    });
  });

  test('a missing part makes the answer an error that still has the other series', async () => {
    const errors = [{ part: 'points/3', code: 'unavailable', message: 'restarting' }];
    const { app } = setUp(() => ({ ...REPLY, completeThroughMs: undefined, errors }));
    expect((await app.inject(QUERY_URL)).json()).toMatchObject({
      status: 'error',
      error: 'points/3: unavailable: restarting',
      errors: ['points/3: unavailable: restarting'],
      complete_through: null,
      series: [{ metric: 'system.load.1' }],
    });
  });

  test('a series has the index of its expression, and the aggregator of an expression of one metric', async () => {
    const [one] = REPLY.series;
    const series = ['sum:a{*}', 'avg:b{*} / 2'].map((expression) => ({ ...one, expression }));
    const expressions = [
      { text: 'avg:b{*} / 2', aggregator: undefined },
      { text: 'sum:a{*}', aggregator: 'sum' },
    ];
    const { app } = setUp(() => ({ ...REPLY, series, expressions }));
    const answer = (await app.inject(QUERY_URL)).json();
    expect(answer.series.map((one: Record<string, unknown>) => [one.query_index, one.aggr])).toEqual([
      [1, 'sum'],
      [0, null],
    ]);
  });

  test('the limits of a query are only those of the service', async () => {
    const query = Array.from({ length: 150 }, () => QUERY).join(', ');
    const { app } = setUp();
    const response = await app.inject({ url: '/api/v1/query', query: { query, from: '1', to: '2' } });
    expect(response.statusCode).toBe(200);
  });

  test('metrics and search return names', async () => {
    const { app, asked } = setUp();
    expect((await app.inject('/api/v1/metrics?from=1700000000')).json()).toEqual({
      from: '1700000000',
      metrics: ['system.load.1'],
      truncated: false,
      errors: [],
    });
    const found = await app.inject('/api/v1/search?q=metrics:load');
    expect(found.json()).toEqual({ results: { metrics: ['system.load.1'] }, truncated: false, errors: [] });
    expect(asked[1].request).toMatchObject({ contains: 'load', fromMs: 0 });
    expect((await app.inject('/api/v1/search?q=hosts:a')).statusCode).toBe(400);
  });

  test('the official client reads answers and errors', async () => {
    let reply = REPLY;
    const { app } = setUp(async () => reply);
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const configuration = datadog.createConfiguration({
      baseServer: new datadog.BaseServerConfiguration(address, {}),
      authMethods: { apiKeyAuth: 'acme-key', appKeyAuth: 'any' },
    });
    const api = new v1.MetricsApi(configuration);
    const asked = { query: QUERY, from: FROM_MS / 1000, to: TO_MS / 1000 };
    const answer = await api.queryMetrics(asked);
    expect(answer).toMatchObject({ status: 'ok', resType: 'time_series', fromDate: FROM_MS, groupBy: ['host'] });
    expect(answer.series?.[0]).toMatchObject({
      metric: 'system.load.1',
      tagSet: ['host:a'],
      pointlist: [
        [FROM_MS, 1.5],
        [FROM_MS + 40_000, 2],
      ],
    });
    expect(answer.additionalProperties?.complete_through).toBe(COMPLETE_MS / 1000);
    reply = { ...REPLY, errors: [{ part: 'points/0', code: 'unavailable', message: 'away' }] };
    // The key of the official client is of the tenant acme.
    expect((await api.queryMetrics(asked)).error).toBe('points/0: unavailable: only operators see why');
    expect((await api.listActiveMetrics({ from: 1 })).metrics).toEqual(['system.load.1']);
    expect((await api.listMetrics({ q: 'metrics:system' })).results?.metrics).toEqual(['system.load.1']);
    await expect(api.queryMetrics({ ...asked, from: -1 })).rejects.toMatchObject({
      code: 400,
      body: { errors: [expect.stringMatching(/^from: must be seconds/)] },
    });
  });
});

describe("Tidemark's own API", () => {
  test('a query is read from the body', async () => {
    const { app } = setUp();
    const body = { query: QUERY, from_ms: FROM_MS, to_ms: TO_MS };
    const response = await app.inject({ method: 'POST', url: '/api/tidemark/v1/query', payload: body });
    expect(response.json()).toMatchObject({
      series: [{ metric: 'system.load.1', tag_set: ['host:a'], interval_ms: 20_000, kind: 'gauge', values: [1.5, 2] }],
      complete_through_ms: COMPLETE_MS,
      points_read: 12,
    });
  });

  test('a metric has what its sources state, a guess is named as one, and another name is not found', async () => {
    const { app } = setUp();
    const reply = await app.inject('/api/v1/metrics/system.load.1');
    const unknown = { unit: null, description: null, statsd_interval: null };
    expect(reply.json()).toEqual({ type: 'gauge', ...unknown, sources: { type: 'name' } });
    const other = await app.inject('/api/v1/metrics/system.load');
    expect([other.statusCode, other.json().errors[0]]).toEqual([404, expect.stringContaining('system.load.1?')]);
    const long = await app.inject(`/api/v1/metrics/${'l'.repeat(200)}`);
    expect(long.json()).toMatchObject({ errors: [expect.stringMatching(/^no metric has the name l{200};/)] });
  });

  test('metrics, tags and status are returned as JSON', async () => {
    const { app, asked } = setUp(undefined, { statusExtra: () => ({ version: '0.1.0' }) });
    expect((await app.inject('/api/tidemark/v1/metrics?contains=load&limit=1')).json()).toEqual({
      metrics: [
        {
          metric: 'system.load.1',
          classes: ['reading', 'count'],
          kinds: ['gauge', 'count'],
          series: 3,
          last_day_ms: 86_400_000,
        },
      ],
      truncated: true,
      errors: [],
      gaps: [TAGS_GAP],
    });
    expect((await app.inject('/api/tidemark/v1/tags?metric=m&from=1.5&to=2')).json()).toEqual({
      metric: 'm',
      keys: [{ key: 'host', values: 1, series: 3, top: [{ value: 'a', series: 3 }] }],
      errors: [],
      gaps: [TAGS_GAP],
    });
    expect(asked[1].request).toMatchObject({ metric: 'm', fromMs: 1500, toMs: 2000 });
    const status = (await app.inject('/api/tidemark/v1/status')).json();
    expect(status).toMatchObject({ version: '0.1.0', lateness_ms: 3000 });
    expect(status.points[0]).toMatchObject({ watermark_ms: null, lanes: [{ session: 'ab01', lane: 4, mark_ms: 9 }] });
    expect(status.sessions[0]).toMatchObject({ session: 'cd', rejected_points: { tag_too_long: 4 } });
  });

  test('a key of another tenant gets the status without what operators alone see', async () => {
    const statusExtra = (tenant: string) => (tenant === 'default' ? { agent: { dogstatsd: {} } } : {});
    const { app } = setUp(undefined, { statusExtra });
    const headers = { 'dd-api-key': 'acme-key' };
    const status = (await app.inject({ url: '/api/tidemark/v1/status', headers })).json();
    expect(status).toEqual({
      ...{ for_operator: false, lateness_ms: 3000, now_ms: 0, map_epoch: 0, errors: [], eras: [], tags: [] },
      points: [
        {
          partition: 0,
          watermark_ms: null,
          covered_watermark_ms: null,
          era: 0,
          halted: '',
          halted_offset: 0,
          gaps: [],
          clients: [],
        },
      ],
      sessions: [
        {
          ...{ session: 'cd', state: '', renewed_ms: 0, streams: 0, not_told: '', refused: [] },
          ...{ rejected_points: { tag_too_long: 4 }, client_names: {}, violations: {}, left_out: {} },
          ...{ former_client_names: {}, sources: [] },
        },
      ],
    });
  });

  test('the reason why the process is not ready is for operators', async () => {
    const { app } = setUp(undefined, { notReady: () => 'the log: /var/data is full' });
    expect((await app.inject('/readyz')).json().errors).toEqual(['the log: /var/data is full']);
    const headers = { 'dd-api-key': 'acme-key' };
    const others = await app.inject({ url: '/readyz', headers });
    expect([others.statusCode, others.json().errors]).toEqual([503, ['not ready; operators see why']]);
  });

  test.each([
    ['/api/v1/query?query=a&from=1', 'to'],
    ['/api/v1/query?query=a&from=1&to=x', 'to'],
    ['/api/v1/query?query=a&query=b&from=1&to=2', 'query'],
    ['/api/v1/query?query=&from=1&to=2', 'query'],
    ['/api/v1/query?query=a&from=1700000000000&to=1700000060000', 'from'],
    ['/api/v1/query?query=a&from=1700000000&to=1700000060000', 'to'],
    ['/api/v1/query?query=a&from=1700000060&to=1700000000', 'to'],
    ['/api/tidemark/v1/tags', 'metric'],
    ['/api/tidemark/v1/metrics?limit=0', 'limit'],
  ])('%s names the field %s', async (url, field) => {
    const response = await setUp().app.inject(url);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ code: 'invalid_argument', detail: { field } });
    expect(response.json().errors[0]).toMatch(new RegExp(`^${field}: `));
  });

  test('a range that is wrong is refused in plain words', async () => {
    const { app } = setUp();
    const errorOf = async (range: string) => (await app.inject(`/api/v1/query?query=a&${range}`)).json().errors[0];
    expect(await errorOf('from=1700000000000&to=1')).toBe(
      'from: 1700000000000 is in milliseconds (limit: seconds since the epoch, below 100000000000); divide it by 1000',
    );
    expect(await errorOf('to=1')).toBe('from: missing; give seconds since 1970');
    expect(await errorOf('query=b&from=1&to=2')).toBe('query: several values (limit: one)');
    expect((await app.inject('/api/v1/query')).json().errors).toEqual([
      'query: missing; give a query, such as avg:system.load.1{*}',
    ]);
    expect((await app.inject('/api/v1/query?query=up&time=1')).json().errors).toEqual([
      expect.stringMatching(/^from: missing; .*PromQL is not supported/),
    ]);
    expect(await errorOf('from=9&to=8')).toBe('to: 8 is not after from: 9; give a range that ends after it begins');
  });

  test('template variables come with the request, in either API', async () => {
    const { app, asked } = setUp();
    await app.inject('/api/v1/query?query=a&from=1&to=2&tpl_var_env=prod&tpl_var_host=web-*');
    const several = 'tpl_var_a=x&tpl_var_a=y&tpl_var_b%5B0%5D=x&tpl_var_b%5B1%5D=y';
    await app.inject(`/api/v1/query?query=a&from=1&to=2&${several}`);
    const payload = { query: 'a', from_ms: 1, to_ms: 2, variables: { env: 'prod', host: ['a', 'b'] } };
    await app.inject({ method: 'POST', url: '/api/tidemark/v1/query', payload });
    expect(asked.map(({ request }) => request)).toEqual([
      { query: 'a', fromMs: 1000, toMs: 2000, variables: { env: 'prod', host: 'web-*' } },
      { query: 'a', fromMs: 1000, toMs: 2000, variables: { a: ['x', 'y'], b: ['x', 'y'] } },
      { query: 'a', fromMs: 1, toMs: 2, variables: { env: 'prod', host: ['a', 'b'] } },
    ]);
    const wrong = { ...payload, variables: { env: 7 } };
    const response = await app.inject({ method: 'POST', url: '/api/tidemark/v1/query', payload: wrong });
    expect(response.json().errors).toEqual(['variables.env: 7 (limit: a string, or a list of strings)']);
  });

  test('codes become statuses, and what is internal stays inside', async () => {
    const thrown: Error[] = [
      new TidemarkError('resource_exhausted', 'too many series', { limit: 'series' }),
      new TidemarkError('deadline_exceeded', 'too slow'),
      new TidemarkError('unavailable', 'no part could answer'),
      new TypeError('secret internals'),
    ];
    const { app } = setUp(() => {
      throw thrown.shift() ?? new Error('none');
    });
    const statuses: [number, string][] = [];
    for (let i = 0; i < 4; i++) {
      const response = await app.inject(QUERY_URL);
      statuses.push([response.statusCode, response.json().errors[0]]);
    }
    expect(statuses.slice(0, 3)).toEqual([
      [429, 'too many series'],
      [504, 'too slow'],
      [503, 'no part could answer'],
    ]);
    expect(statuses[3]).toEqual([500, expect.stringMatching(/^internal error; see request req-/)]);
  });

  test('a caller that closes the connection cancels its query', async () => {
    const { app, asked } = setUp(() => new Promise(() => {}));
    const address = await app.listen({ port: 0, host: '127.0.0.1' });
    const abort = new AbortController();
    const running = fetch(address + QUERY_URL, { signal: abort.signal }).catch(() => {});
    while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    await running;
    const signal = asked[0].signal;
    await new Promise<void>((resolve) => {
      if (signal?.aborted) resolve();
      else signal?.addEventListener('abort', () => resolve());
    });
    expect(signal?.reason).toMatchObject({ code: 'cancelled' });
  });
});

describe('the access to the API', () => {
  const status = async (app: FastifyInstance, headers: Record<string, string>, remoteAddress = '127.0.0.1') =>
    (await app.inject({ url: QUERY_URL, headers, remoteAddress })).statusCode;

  test('a key is read from either header, and without a key only callers of this machine are admitted', async () => {
    const { app, asked } = setUp();
    expect(await status(app, {})).toBe(200);
    expect(await status(app, { 'dd-api-key': 'acme-key' })).toBe(200);
    expect(await status(app, { authorization: 'Bearer acme-key' }, '10.0.0.7')).toBe(200);
    expect(asked.map(({ tenant }) => tenant)).toEqual(['default', 'acme', 'acme']);
    expect(await status(app, {}, '10.0.0.7')).toBe(401);
    expect(await status(app, { 'dd-api-key': 'wrong' })).toBe(401);
    // A proxy on this machine forwards requests of others.
    expect(await status(app, { 'x-forwarded-for': '203.0.113.9' })).toBe(401);
  });

  test('names of other sites that point to this machine are refused', async () => {
    const { app } = setUp(undefined, { allowedHosts: ['metrics.example'] });
    expect(await status(app, { host: 'evil.example' })).toBe(403);
    expect(await status(app, { host: 'localhost.evil.example' })).toBe(403);
    expect(await status(app, { host: '127.0.0.1.evil.example' })).toBe(403);
    expect(await status(app, { host: 'metrics.example:4270' })).toBe(401);
    expect(await status(app, { host: 'metrics.example', 'dd-api-key': 'acme-key' })).toBe(200);
    for (const host of ['localhost:4270', '127.0.0.1:4270', '[::1]:4270'])
      expect(await status(app, { host })).toBe(200);
  });

  test('requests of pages of other sites are refused, and no header allows them to read', async () => {
    const { app } = setUp();
    expect(await status(app, { origin: 'https://evil.example' })).toBe(403);
    expect(await status(app, { host: 'localhost:4270', origin: 'http://localhost:4270' })).toBe(200);
    const text = { method: 'POST', url: '/api/tidemark/v1/query', payload: '{}' } as const;
    expect((await app.inject({ ...text, headers: { 'content-type': 'text/plain' } })).statusCode).toBe(415);
    const form = await app.inject({ ...text, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expect([form.statusCode, form.json().errors]).toEqual([
      415,
      [
        'content-type: application/x-www-form-urlencoded (limit: application/json); ' +
          "with curl add -H 'content-type: application/json'",
      ],
    ]);
    const { headers } = await app.inject(QUERY_URL);
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    expect(headers['x-request-id']).toMatch(/^req-/);
  });

  test('bodies and URLs have limits', async () => {
    const { app } = setUp(undefined, { limits: { bodyBytes: 100, urlBytes: 300 } });
    const payload = { query: 'x'.repeat(100), from_ms: 0, to_ms: 1 };
    const large = await app.inject({ method: 'POST', url: '/api/tidemark/v1/query', payload });
    expect(large.statusCode).toBe(413);
    expect(large.json()).toMatchObject({ detail: { field: 'body', limit: 100 } });
    const long = await app.inject(`${QUERY_URL}&x=${'y'.repeat(300)}`);
    expect(long.json()).toMatchObject({ detail: { field: 'url', limit: 300 } });
    const bad = await app.inject({
      method: 'POST',
      url: '/api/tidemark/v1/query',
      headers: { 'content-type': 'application/json' },
      payload: '{',
    });
    expect([bad.statusCode, bad.json().errors]).toEqual([400, ['body: not JSON']]);
    const unknown = await app.inject({
      method: 'POST',
      url: '/api/tidemark/v1/query',
      payload: { query: 'a', from_ms: 0, to_ms: 1, step: 5 },
    });
    expect(unknown.json().errors).toEqual(['body: unknown field "step"']);
    const none = await app.inject({ method: 'POST', url: '/api/tidemark/v1/query' });
    expect(none.json().errors).toEqual(['body: missing; give a JSON object']);
    const typed = { query: 7, from_ms: 0, to_ms: 1 };
    const wrong = await app.inject({ method: 'POST', url: '/api/tidemark/v1/query', payload: typed });
    expect(wrong.json().errors).toEqual(['query: 7 (limit: a string)']);
  });

  test('the log has routes and statuses, never keys or queries', async () => {
    const lines: string[] = [];
    const write = (...values: unknown[]) => lines.push(JSON.stringify(values));
    const logger = { level: 'info', fatal: write, error: write, warn: write, info: write, debug: write, trace: write };
    const child = () => ({ ...logger, silent: () => {}, child });
    const { app } = setUp(undefined, { logger: child() });
    await app.inject({ url: `${QUERY_URL}&api_key=hidden`, headers: { 'dd-api-key': 'acme-key' } });
    const log = lines.join('\n');
    expect(log).toContain('/api/v1/query');
    for (const secret of ['acme-key', 'hidden', 'system.load']) expect(log).not.toContain(secret);
  });

  test('health, readiness and routes of further protocols are served', async () => {
    let reason: string | undefined = 'replaying the log';
    const { app } = setUp(undefined, {
      notReady: () => reason,
      routes: (scope, access) => {
        scope.post('/api/v2/series', async (request, reply) => reply.code(202).send(access.tenantOf(request, 'read')));
        scope.post('/api/v1/series', async (_, reply) => reply.code(202).send());
        scope.put('/api/v1/metrics/:name', async (_, reply) => reply.code(202).send());
      },
    });
    expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' });
    expect((await app.inject('/readyz')).statusCode).toBe(503);
    reason = undefined;
    expect((await app.inject('/readyz')).statusCode).toBe(200);
    const sent = await app.inject({ method: 'POST', url: '/api/v2/series', headers: { 'dd-api-key': 'acme-key' } });
    expect([sent.statusCode, sent.payload]).toEqual([202, 'acme']);
    const missing = await app.inject({ url: '/api/v9/nothing', headers: { accept: 'text/html' } });
    expect([missing.statusCode, missing.json().errors]).toEqual([404, ['not found: GET /api/v9/nothing']]);
    const wrongMethod = await app.inject('/api/v2/series?api_key=k');
    expect([wrongMethod.statusCode, wrongMethod.headers.allow, wrongMethod.json().errors]).toEqual([
      405,
      'POST',
      ['method not allowed: GET /api/v2/series; send with POST'],
    ]);
    // A path of Prometheus too: it gets the method, and the advice.
    const both = await app.inject('/api/v1/series');
    expect([both.statusCode, both.headers.allow, both.json().errors]).toEqual([
      ...[405, 'POST'],
      [expect.stringMatching(/^method not allowed: GET \/api\/v1\/series; send with POST: PromQL is not supported; /)],
    ]);
    for (const url of ['//api/v2/series', '/api//v2/series/', '/api/v2/series//?x=1']) {
      const slashes = await app.inject({ method: 'POST', url, headers: { 'dd-api-key': 'acme-key' } });
      expect([slashes.statusCode, slashes.headers['cache-control']]).toEqual([202, 'no-store']);
      expect((await app.inject(url)).statusCode).toBe(405);
    }
    for (const method of ['DELETE', 'POST'] as const) {
      const ofMetric = await app.inject({ method, url: '/api/v1/metrics/web%20hits?x=1' });
      expect([ofMetric.statusCode, ofMetric.headers.allow, ofMetric.json()]).toEqual([
        ...[405, 'GET, PUT'],
        {
          errors: [`method not allowed: ${method} /api/v1/metrics/web%20hits; send with GET or PUT`],
          ...{ code: 'invalid_argument', detail: { field: 'method' } },
        },
      ]);
    }
    const odd = await app.inject({ method: 'POST', url: '/api/:x(' });
    expect(odd.statusCode).toBe(404);
    const foreign = await app.inject('/api/v1/query_range?query=up');
    expect([foreign.statusCode, foreign.json().errors]).toEqual([
      404,
      [expect.stringMatching(/^not found: GET \/api\/v1\/query_range: PromQL is not supported; /)],
    ]);
  });
});
