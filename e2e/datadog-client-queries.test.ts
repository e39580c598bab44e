import { client as datadog, v1 } from '@datadog/datadog-api-client';
import { afterEach, expect, test } from '@jest/globals';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

test("Datadog's own client queries metrics and lists those that are active", async () => {
  const platform = await harness.platform();
  const client = await harness.client(platform.grpcAddress);
  const startS = Math.floor(Date.now() / 20_000) * 20 - 60;
  for (const [host, base] of [
    ['a', 1],
    ['b', 10],
  ] as const) {
    for (let i = 0; i < 6; i++) {
      client.gauge('queue.depth', base + i, [`host:${host}`, 'env:prod'], (startS + i * 10) * 1000);
    }
  }
  client.count('jobs.done', 7, ['env:prod'], startS * 1000);
  client.flush();
  await client.settled();
  await platform.queryComplete('avg:queue.depth{*}', startS * 1000, Date.now());

  const configuration = datadog.createConfiguration({
    authMethods: { apiKeyAuth: 'placeholder', appKeyAuth: 'placeholder' },
    baseServer: new datadog.ServerConfiguration(platform.httpUrl, {}),
  });
  const api = new v1.MetricsApi(configuration);
  const query = 'avg:queue.depth{env:prod} by {host}.rollup(avg, 20)';
  const answer = await api.queryMetrics({ from: startS, to: startS + 60, query });
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

  const count = await api.queryMetrics({ from: startS, to: startS + 60, query: 'sum:jobs.done{*}.as_count()' });
  expect(count.series?.[0].pointlist).toEqual([[startS * 1000, 7]]);

  const active = await api.listActiveMetrics({ from: startS });
  expect(active.metrics).toEqual(['jobs.done', 'queue.depth']);

  await expect(api.queryMetrics({ from: startS, to: startS + 60, query: 'avg:queue.depth{' })).rejects.toMatchObject({
    code: 400,
  });
});
