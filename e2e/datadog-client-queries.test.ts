import { client as datadog, v1, v2 } from '@datadog/datadog-api-client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterAll(() => harness.clear());

const STEP_S = 20;
/** Start of three steps, s. */
const startS = Math.floor(Date.now() / (STEP_S * 1000)) * STEP_S - 3 * STEP_S;
const endS = startS + 3 * STEP_S;
const RANGE = { from: startS * 1000, to: endS * 1000 };

let platform: PlatformUnderTest;
beforeAll(async () => {
  platform = await harness.platform();
  const client = await harness.client(platform.grpcAddress);
  for (const [host, base] of [
    ['a', 1],
    ['b', 10],
  ] as const) {
    for (let i = 0; i < 6; i++) {
      client.gauge('queue.depth', base + i, [`host:${host}`, 'env:prod'], (startS + i * 10) * 1000);
    }
    client.count('jobs.done', base * 4, [`host:${host}`, 'env:prod'], startS * 1000);
    client.count('jobs.failed', base, [`host:${host}`, 'env:prod'], startS * 1000);
  }
  client.flush();
  await client.settled();
  await platform.queryComplete('avg:queue.depth{*}, sum:jobs.done{*}, sum:jobs.failed{*}', RANGE.from, Date.now());
});

describe("Datadog's own client, version 1", () => {
  const query = 'avg:queue.depth{env:prod} by {host}.rollup(avg, 20)';

  test('queries metrics', async () => {
    const answer = await v1Api().queryMetrics({ from: startS, to: endS, query });
    expect(answer.status).toBe('ok');
    expect(
      answer.series?.map(({ scope, tagSet, pointlist, interval }) => ({ scope, tagSet, pointlist, interval })),
    ).toEqual(
      [
        ['a', 1.5],
        ['b', 10.5],
      ].map(([host, first]) => ({
        scope: `host:${host},env:prod`,
        tagSet: [`host:${host}`],
        interval: 20,
        pointlist: [0, 20, 40].map((atS, i) => [(startS + atS) * 1000, Number(first) + i * 2]),
      })),
    );
    const count = await v1Api().queryMetrics({ from: startS, to: endS, query: 'sum:jobs.done{*}.as_count()' });
    expect(count.series?.[0].pointlist).toEqual([[startS * 1000, 44]]);
    await expect(v1Api().queryMetrics({ from: startS, to: endS, query: 'avg:queue.depth{' })).rejects.toMatchObject({
      code: 400,
    });
  });

  test('lists active metrics, of a host and of a filter, and searches for them', async () => {
    const active = async (more: object) => (await v1Api().listActiveMetrics({ from: startS, ...more })).metrics;
    const all = ['jobs.done', 'jobs.failed', 'queue.depth'];
    expect(await active({})).toEqual(all);
    expect(await active({ host: 'a' })).toEqual(all);
    expect(await active({ host: 'c' })).toEqual([]);
    expect(await active({ tagFilter: 'env:pro* AND host IN (a, c)' })).toEqual(all);
    expect(await active({ tagFilter: 'NOT env:prod' })).toEqual([]);
    await expect(active({ tagFilter: 'host IN (' })).rejects.toMatchObject({ code: 400 });
    expect((await v1Api().listMetrics({ q: 'metrics:jobs' })).results?.metrics).toEqual(['jobs.done', 'jobs.failed']);
  });
});

describe("Datadog's own client, version 2", () => {
  const metrics = (name: string, query: string) => ({ dataSource: 'metrics' as const, name, query });

  test('queries series by formulas', async () => {
    const { data, errors, additionalProperties } = await v2Api().queryTimeseriesData({
      body: {
        data: {
          type: 'timeseries_request',
          attributes: {
            ...RANGE,
            interval: 20_000,
            queries: [
              metrics('failed', 'sum:jobs.failed{env:prod} by {host}'),
              metrics('done', 'sum:jobs.done{*}.as_count()'),
              metrics('depth', 'avg:queue.depth{*} by {host}'),
            ],
            formulas: [
              { formula: 'failed / done * 100' },
              { formula: 'depth', limit: { count: 1, order: 'desc' } },
              { formula: 'diff(depth)', limit: { count: 1, order: 'asc' } },
            ],
          },
        },
      },
    });
    expect([data?.type, errors]).toEqual(['timeseries_response', undefined]);
    const { series = [], times, values = [] } = data?.attributes ?? {};
    expect(times).toEqual([0, 20, 40].map((atS) => (startS + atS) * 1000));
    expect(series.map(({ groupTags, queryIndex, unit }, i) => [groupTags, queryIndex, unit, values[i]])).toEqual([
      [['host:a'], 0, [null, null], [expect.closeTo(100 / 44, 10), null, null]],
      [['host:b'], 0, [null, null], [expect.closeTo(1000 / 44, 10), null, null]],
      [['host:b'], 1, [null, null], [10.5, 12.5, 14.5]],
      [['host:a'], 2, [null, null], [null, 2, 2]],
    ]);
    expect(series.map((one) => one.additionalProperties?.complete_length)).toEqual([3, 3, 3, 3]);
    expect(additionalProperties?.meta).toMatchObject({ is_complete: true, errors: [], gaps: [] });
  });

  test('queries series without formulas, at steps that follow from the range', async () => {
    const queries = [metrics('x', 'max:queue.depth{host:a}')];
    const { data } = await v2Api().queryTimeseriesData({
      body: { data: { type: 'timeseries_request', attributes: { ...RANGE, queries } } },
    });
    const { values = [], times = [] } = data?.attributes ?? {};
    // Points are 10 s apart, and so are the steps, though the range would have steps of 1 s.
    expect(times.map((timeMs) => timeMs - times[0])).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000]);
    expect(values.map((column) => column.filter((value) => value !== null))).toEqual([[1, 2, 3, 4, 5, 6]]);
  });

  test('queries single values, as tables and top lists show them', async () => {
    const scalar = (name: string, query: string, aggregator: v2.MetricsAggregator) => ({
      ...metrics(name, query),
      aggregator,
    });
    const answer = await eventually('the range to be complete', async () => {
      const found = await v2Api().queryScalarData({
        body: {
          data: {
            type: 'scalar_request',
            attributes: {
              ...RANGE,
              queries: [
                scalar('done', 'sum:jobs.done{*} by {host}.rollup(sum, 20)', 'sum'),
                scalar('depth', 'avg:queue.depth{*} by {host}.rollup(avg, 20)', 'max'),
                scalar('all', 'sum:jobs.done{*}.rollup(sum, 20)', 'sum'),
              ],
              formulas: [{ formula: 'done', limit: { count: 10, order: 'desc' } }, { formula: 'depth + done / all' }],
            },
          },
        },
      });
      return found.additionalProperties?.meta.is_complete === true && found;
    });
    const columns = answer.data?.attributes?.columns?.map((column) => {
      const isRead = column instanceof v2.GroupScalarColumn || column instanceof v2.DataScalarColumn;
      return isRead ? [column.name, column.type, column.values] : column;
    });
    expect([answer.data?.type, columns]).toEqual([
      'scalar_response',
      [
        ['host', 'group', [['b'], ['a']]],
        ['done', 'number', [40, 4]],
        ['depth + done / all', 'number', [expect.closeTo(14.5 + 40 / 44, 10), expect.closeTo(5.5 + 4 / 44, 10)]],
      ],
    ]);
    expect(answer.additionalProperties?.meta).toMatchObject({ covered_from_ms: RANGE.from, covered_to_ms: RANGE.to });
  });

  test.each([
    [{ formulas: [{ formula: 'a + b' }] }, /^data\.attributes\.formulas\.0\.formula, column 5: found "b"/],
    [{ queries: [metrics('a', 'avg:queue.depth{')] }, /^data\.attributes\.queries\.0\.query, column 17/],
    [{ queries: [metrics('a', 'p99:queue.depth{*}')] }, /percentiles need a distribution/],
    [{ from: startS, to: endS }, /^data\.attributes\.from: \d+ is not in milliseconds/],
  ])('receives the refusal of %j with its field', async (more, message) => {
    const attributes = { ...RANGE, queries: [metrics('a', 'avg:queue.depth{*}')], ...more };
    const asked = v2Api().queryTimeseriesData({ body: { data: { type: 'timeseries_request', attributes } } });
    await expect(asked).rejects.toMatchObject({ code: 400, body: { errors: [expect.stringMatching(message)] } });
  });

  test('lists metrics page by page, and the tags of one', async () => {
    const names: unknown[] = [];
    const pages = v2Api().listTagConfigurationsWithPagination({ pageSize: 2, filterTags: 'host:a,env:prod' });
    for await (const one of pages) names.push(one instanceof v2.Metric ? one.id : one);
    expect(names).toEqual(['jobs.done', 'jobs.failed', 'queue.depth']);
    expect((await v2Api().listTagConfigurations({ filterTags: 'host:c' })).data).toEqual([]);
    const tags = async (more: object) =>
      (await v2Api().listTagsByMetricName({ metricName: 'queue.depth', ...more })).data?.attributes?.tags;
    expect(await tags({})).toEqual(['env:prod', 'host:a', 'host:b']);
    expect(await tags({ filterTags: 'host:a' })).toEqual(['env:prod', 'host:a']);
    expect(await tags({ filterMatch: 'host' })).toEqual(['host:a', 'host:b']);
    await expect(tags({ metricName: 'no.such' })).rejects.toMatchObject({ code: 404 });
  });
});

function configuration() {
  return datadog.createConfiguration({
    authMethods: { apiKeyAuth: 'placeholder', appKeyAuth: 'placeholder' },
    baseServer: new datadog.ServerConfiguration(platform.httpUrl, {}),
  });
}

function v1Api(): v1.MetricsApi {
  return new v1.MetricsApi(configuration());
}

function v2Api(): v2.MetricsApi {
  return new v2.MetricsApi(configuration());
}
