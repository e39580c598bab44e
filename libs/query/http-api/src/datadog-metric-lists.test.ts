import { client as datadog, v1, v2 } from '@datadog/datadog-api-client';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { MetricsRequest, PartError, TagsRequest } from '@tidemark/contract';
import { TidemarkError } from '@tidemark/ports';
import type { QueryReader } from '@tidemark/query';
import type { FastifyInstance } from 'fastify';
import { httpApi } from './index.ts';

const NOW_MS = 1_700_000_000_000;
const METRICS = ['a/b', 'jobs', 'load', 'orders', 'ä'];
const DOWN: PartError = { part: 'tags/1', code: 'unavailable', message: 'down' };

const apps: FastifyInstance[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

/** The API over a service that knows `METRICS`, of which `load` has tags. */
function setUp(errors: PartError[] = []) {
  const asked: (MetricsRequest | TagsRequest)[] = [];
  const never = () => Promise.reject(new Error('not asked here'));
  const check = (filter: string | undefined) => {
    if (filter !== 'bad') return;
    throw new TidemarkError('invalid_argument', 'filter, column 1: found "bad"', { field: 'filter' });
  };
  const service: QueryReader = {
    ...{ run: never, runFormulas: never, status: never },
    metrics: async (_, request) => {
      asked.push(request);
      check(request.filter);
      const { contains, after = '', limit } = request;
      const found = METRICS.filter((name) => name.includes(contains) && name > after).slice(0, limit);
      return {
        metrics: found.map((metric) => ({ metric, classes: [1], series: 1, lastDayMs: 0, metadata: undefined })),
        errors,
        gaps: [],
      };
    },
    metric: async (_, metric) => {
      if (!METRICS.includes(metric)) throw new TidemarkError('not_found', `no metric has the name ${metric}`);
      return { description: { metric, classes: [1], series: 1, lastDayMs: 0, metadata: undefined }, gaps: [] };
    },
    tags: async (_, request) => {
      asked.push(request);
      check(request.filter);
      if (request.metric !== 'load') return { keys: [], errors, gaps: [] };
      const top = (...values: string[]) => values.map((value) => ({ value, series: 1 }));
      return {
        keys: [
          { key: 'canary', values: 1, series: 1, top: top('') },
          { key: 'host', values: 3, series: 3, top: top('b', 'a') },
        ],
        ...{ errors, gaps: [] },
      };
    },
  };
  const clock = { wallMs: () => NOW_MS, monotonicMs: () => 0, setTimer: () => ({ cancel: () => {} }) };
  const app = httpApi({ service, access: { tenantOf: () => 'default' }, clock });
  apps.push(app);
  return { app, asked };
}

async function clientOf(app: FastifyInstance) {
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  const configuration = datadog.createConfiguration({
    baseServer: new datadog.BaseServerConfiguration(address, {}),
    authMethods: { apiKeyAuth: 'any', appKeyAuth: 'any' },
  });
  return { v1: new v1.MetricsApi(configuration), v2: new v2.MetricsApi(configuration) };
}

describe('the list of metrics', () => {
  test('is read page by page by the official client', async () => {
    const { app, asked } = setUp();
    const { v2: api } = await clientOf(app);
    const found: unknown[] = [];
    const pages = api.listTagConfigurationsWithPagination({ pageSize: 2, filterTags: 'env:prod', windowSeconds: 60 });
    for await (const one of pages) found.push(one instanceof v2.Metric ? [one.id, one.type] : one);
    expect(found).toEqual(METRICS.map((name) => [name, 'metrics']));
    expect(asked).toHaveLength(3);
    expect(asked[1]).toMatchObject({ limit: 2, after: 'jobs', filter: 'env:prod', fromMs: NOW_MS - 60_000 });
  });

  test('has no next page when it is whole', async () => {
    const { app, asked } = setUp([DOWN]);
    const { meta } = await app.inject('/api/v2/metrics').then((response) => response.json());
    expect(meta).toEqual({
      pagination: { type: 'cursor_limit', limit: 1000 },
      errors: ['tags/1: unavailable: down'],
      gaps: [],
    });
    expect(asked[0]).toMatchObject({ limit: 1000, fromMs: NOW_MS - 3_600_000 });
    const [full, rest] = await Promise.all(
      ['/api/v2/metrics?page[size]=5', '/api/v2/metrics?page[size]=5&page[cursor]=w6Q'].map((url) => app.inject(url)),
    );
    expect(full.json().meta.pagination).toMatchObject({ next_cursor: 'w6Q' });
    expect(rest.json()).toMatchObject({ data: [], meta: { pagination: { cursor: 'w6Q' } } });
    expect(rest.json().meta.pagination).not.toHaveProperty('next_cursor');
  });

  test.each([
    ['filter[queried]=true', 'filter[queried]: is not supported'],
    ['filter[metric_type]=distribution', 'filter[metric_type]: is not supported'],
    ['include=metric_volumes', 'include: is not supported'],
    ['sort=-metric_volumes.indexed_volume', 'sort: is not supported'],
    ['page[size]=0', 'page[size]: must be a whole number (limit: 1 to 10000)'],
    ['page[cursor]=%', 'page[cursor]: % (limit: next_cursor of an earlier answer)'],
    ['page[cursor]=', 'page[cursor]:  (limit'],
    ['window[seconds]=-1', 'window[seconds]: must be a whole number'],
    ['filter[tags]=bad', 'filter[tags], column 1'],
  ])('%s is refused by its name', async (query, message) => {
    const { app } = setUp();
    const response = await app.inject(`/api/v2/metrics?${query.replace('=%', '=%25')}`);
    expect([response.statusCode, response.json().errors[0]]).toEqual([400, expect.stringContaining(message)]);
    expect(response.json().detail.field).toBe(query.split('=')[0]);
  });
});

describe('the list of active metrics', () => {
  test.each([
    [{ host: 'web-1' }, 'host:web-1'],
    [{ host: 'a*,b' }, '"host:a*,b"'],
    [{ tagFilter: 'env IN (a,b) AND service:web*' }, 'env IN (a,b) AND service:web*'],
  ])('is of the metrics that %j selects', async (parameters, filter) => {
    const { app, asked } = setUp();
    const { v1: api } = await clientOf(app);
    expect((await api.listActiveMetrics({ from: 9, ...parameters })).metrics).toEqual(METRICS);
    expect(asked).toEqual([{ contains: '', fromMs: 9000, filter, limit: 1000 }]);
  });

  test.each([
    ['host=a&tag_filter=b', 'tag_filter: given with host'],
    ['host=', 'host: must not be empty'],
    ['tag_filter=bad', 'tag_filter, column 1'],
  ])('%s is refused', async (query, message) => {
    const response = await setUp().app.inject(`/api/v1/metrics?from=1&${query}`);
    expect([response.statusCode, response.json().errors[0]]).toEqual([400, expect.stringContaining(message)]);
  });
});

describe('the tags of a metric', () => {
  test('are read by the official client', async () => {
    const { app, asked } = setUp();
    const { v2: api } = await clientOf(app);
    const { data, additionalProperties } = await api.listTagsByMetricName({
      metricName: 'load',
      filterTags: 'env:prod',
    });
    const tags = ['canary', 'host:a', 'host:b'];
    expect(data).toMatchObject({ id: 'load', type: 'metrics', attributes: { tags, ingestedTags: tags } });
    // The third value of `host` is not in the list.
    expect(additionalProperties?.meta).toEqual({ truncated: true, errors: [], gaps: [] });
    expect(asked).toEqual([
      { metric: 'load', fromMs: NOW_MS - 14_400_000, toMs: NOW_MS + 1, limit: 1000, filter: 'env:prod' },
    ]);
    const keys = await api.listTagsByMetricName({ metricName: 'load', filterIncludeTagValues: false });
    expect([keys.data?.attributes?.tags, keys.additionalProperties?.meta.truncated]).toEqual([
      ['canary', 'host'],
      false,
    ]);
    const some = await api.listTagsByMetricName({ metricName: 'load', filterMatch: 'ost', pageLimit: 1 });
    expect(some.data?.attributes?.tags).toEqual(['host:a']);
  });

  test('a metric without tags has none, and an unknown one is not found', async () => {
    const { v2: api } = await clientOf(setUp().app);
    expect((await api.listTagsByMetricName({ metricName: 'a/b' })).data?.attributes?.tags).toEqual([]);
    await expect(api.listTagsByMetricName({ metricName: 'oad' })).rejects.toMatchObject({ code: 404 });
  });

  test('a missing part is refused unless a partial list is allowed', async () => {
    const { app } = setUp([DOWN]);
    const url = '/api/v2/metrics/load/all-tags';
    const refused = await app.inject(url);
    expect([refused.statusCode, refused.json().errors[0]]).toEqual([
      503,
      expect.stringContaining('tags/1: unavailable'),
    ]);
    const allowed = await app.inject(`${url}?filter[allow_partial]=true`);
    expect([allowed.statusCode, allowed.json().meta.errors]).toEqual([200, ['tags/1: unavailable: down']]);
    const wrong = await app.inject(`${url}?filter[allow_partial]=yes`);
    expect([wrong.statusCode, wrong.json().detail.field]).toEqual([400, 'filter[allow_partial]']);
  });
});
