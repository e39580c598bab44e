import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { client as datadog, v1, v2 } from '@datadog/datadog-api-client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterAll(() => harness.clear());

let platform: PlatformUnderTest;
beforeAll(async () => {
  platform = await harness.platform();
});

const { COUNT, GAUGE, RATE, UNSPECIFIED } = { UNSPECIFIED: 0, COUNT: 1, RATE: 2, GAUGE: 3 } as const;

describe("Datadog's own client", () => {
  test.each([undefined, 'gzip', 'deflate', 'zstd1'] as const)(
    'submits with the coding %s, and queries back',
    async (contentEncoding) => {
      const metrics = metricsApi();
      const startS = Math.floor(Date.now() / 60_000) * 60 - 60;
      const name = `shop.${contentEncoding ?? 'plain'}`;
      const times = [0, 20, 40].map((atS) => startS + atS);
      const points = (first: number) => times.map((timestamp, i) => ({ timestamp, value: first + i }));
      const host = (of: string) => [{ type: 'host', name: of }];
      const accepted = await metrics.submitMetrics({
        contentEncoding,
        body: {
          series: [
            { metric: `${name}.depth`, type: GAUGE, points: points(1), tags: ['env:prod'], resources: host('a') },
            {
              metric: `${name}.depth`,
              type: UNSPECIFIED,
              points: points(11),
              tags: ['env:prod'],
              resources: host('b'),
            },
            { metric: `${name}.orders`, type: COUNT, interval: 20, points: points(5), resources: host('a') },
            { metric: `${name}.hits`, type: RATE, interval: 20, points: points(0.5), resources: host('ä') },
          ],
        },
      });
      expect(accepted.errors).toEqual([]);
      await platform.queryComplete(`avg:${name}.depth{*}`, startS * 1000, Date.now());

      const answer = async (query: string) => {
        const { series, status } = await v1Api().queryMetrics({ from: startS, to: startS + 60, query });
        expect(status).toBe('ok');
        return series?.map(({ tagSet, pointlist }) => [tagSet, pointlist?.map(([, value]) => value)]);
      };
      expect(await answer(`avg:${name}.depth{env:prod} by {host}.rollup(avg, 20)`)).toEqual([
        [['host:a'], [1, 2, 3]],
        [['host:b'], [11, 12, 13]],
      ]);
      expect(await answer(`sum:${name}.orders{*}.as_count().rollup(sum, 60)`)).toEqual([[[], [18]]]);
      expect(await answer(`sum:${name}.hits{host:ä}.as_count().rollup(sum, 20)`)).toEqual([[[], [10, 30, 50]]]);
      expect(await answer(`sum:${name}.hits{*}.as_rate().rollup(sum, 20)`)).toEqual([[[], [0.5, 1.5, 2.5]]]);
    },
  );

  test('receives the number of omitted points of a payload without a failure', async () => {
    const nowS = Math.floor(Date.now() / 1000);
    const { errors } = await metricsApi().submitMetrics({
      body: {
        series: [
          {
            metric: 'partly.bad',
            type: COUNT,
            points: [
              { timestamp: nowS, value: 1 },
              { timestamp: nowS - 8 * 86_400, value: 1 },
              { timestamp: nowS + 3600, value: 1 },
              { timestamp: nowS, value: Number.NaN },
            ],
          },
          { metric: 'm'.repeat(201), points: [{ timestamp: nowS, value: 1 }] },
        ],
      },
    });
    expect(errors).toHaveLength(4);
    expect(errors?.join('\n')).toMatch(/1 point left out, points.value: value_invalid/);
    expect(errors?.join('\n')).toMatch(/timestamp_behind \(limit: 604800000 ms/);
    expect(errors?.join('\n')).toMatch(/timestamp_ahead/);
    expect(errors?.join('\n')).toMatch(/metric_too_long \(limit: 200 bytes\)/);
    const answer = await platform.queryComplete('sum:partly.bad{*}.rollup(sum, 60)', (nowS - 60) * 1000, Date.now());
    expect(answer.series.flatMap(({ values }) => values)).toEqual([1]);
    await expect(
      metricsApi().submitMetrics({ body: { series: [{ metric: '', points: [{ timestamp: nowS, value: 1 }] }] } }),
    ).rejects.toMatchObject({ code: 400, body: { errors: [expect.stringContaining('metric_empty')] } });
  });

  test('counts of many concurrent submissions add up', async () => {
    const metrics = metricsApi();
    const nowS = Math.floor(Date.now() / 1000);
    const send = (i: number) =>
      metrics.submitMetrics({
        contentEncoding: i % 2 === 0 ? 'gzip' : undefined,
        body: {
          series: Array.from({ length: 10 }, (_, n) => ({
            metric: 'many.orders',
            type: COUNT,
            tags: [`shard:${n}`],
            points: [{ timestamp: nowS - (i % 5), value: 1 }],
          })),
        },
      });
    const accepted = await Promise.all(Array.from({ length: 40 }, (_, i) => send(i)));
    expect(accepted.flatMap(({ errors }) => errors)).toEqual([]);
    const query = 'sum:many.orders{*} by {shard}.rollup(sum, 86400)';
    const answer = await platform.queryComplete(query, (nowS - 60) * 1000, Date.now());
    const sums = answer.series.map(({ values }) => values.reduce((sum, value) => sum + value, 0));
    expect(sums).toEqual(Array.from({ length: 10 }, () => 40));
  });

  test.each([undefined, 'deflate'] as const)(
    'submits series of version 1 with the coding %s, and queries back',
    async (contentEncoding) => {
      const startS = Math.floor(Date.now() / 60_000) * 60 - 60;
      const name = `old.${contentEncoding ?? 'plain'}`;
      const points: [number, number][] = [0, 20, 40].map((atS, i) => [startS + atS, i + 1]);
      const accepted = await v1Api().submitMetrics({
        contentEncoding,
        body: {
          series: [
            { metric: `${name}.depth`, type: 'gauge', points, host: 'a', tags: ['env:prod'] },
            { metric: `${name}.orders`, type: 'count', interval: 20, points, host: 'a' },
            { metric: `${name}.hits`, type: 'rate', interval: 20, points, host: 'b' },
          ],
        },
      });
      expect(accepted.status).toBe('ok');
      const values = valuesOf(startS);
      expect(await values(`avg:${name}.depth{env:prod} by {host}.rollup(avg, 20)`)).toEqual([['host:a'], 1, 2, 3]);
      expect(await values(`sum:${name}.orders{*}.as_count().rollup(sum, 60)`)).toEqual([[], 6]);
      expect(await values(`sum:${name}.hits{host:b}.as_rate().rollup(sum, 20)`)).toEqual([[], 1, 2, 3]);
    },
  );

  test.each([undefined, 'deflate'] as const)(
    'submits distributions with the coding %s, and queries percentiles',
    async (contentEncoding) => {
      const startS = Math.floor(Date.now() / 60_000) * 60 - 60;
      const metric = `latency.${contentEncoding ?? 'plain'}`;
      const all = Array.from({ length: 100 }, (_, i) => i + 1);
      const accepted = await v1Api().submitDistributionPoints({
        contentEncoding,
        body: {
          series: [
            {
              metric,
              points: [
                [startS, all.slice(0, 50)],
                [startS + 20, all.slice(50)],
              ],
              host: 'a',
            },
          ],
        },
      });
      expect(accepted.status).toBe('ok');
      const values = valuesOf(startS);
      expect(await values(`count:${metric}{host:a}.rollup(60)`)).toEqual([[], 100]);
      expect(await values(`max:${metric}{*}.rollup(60)`)).toEqual([[], 100]);
      const [, p90] = await values(`p90:${metric}{*}.rollup(60)`);
      expect(Math.abs(Number(p90) - 90)).toBeLessThanOrEqual(1);
    },
  );

  test('submits service checks, which are gauges of their status', async () => {
    const startS = Math.floor(Date.now() / 60_000) * 60 - 60;
    const check = { check: 'db.can_connect', hostName: 'web-1', tags: ['db:main'], timestamp: startS };
    const accepted = await new v1.ServiceChecksApi(configuration('placeholder')).submitServiceCheck({
      body: [{ ...check, status: 2, message: 'refused' }],
    });
    expect(accepted.status).toBe('ok');
    const query = 'max:service_check.db.can_connect{db:main} by {host}.rollup(max, 60)';
    expect(await valuesOf(startS)(query)).toEqual([['host:web-1'], 2]);
  });

  test('receives a refusal of version 1 as the error of its class', async () => {
    const points: [number, number][] = [[Math.floor(Date.now() / 1000), 1]];
    const submitted = v1Api().submitMetrics({ body: { series: [{ metric: 'm', type: 'histogram', points }] } });
    await expect(submitted).rejects.toMatchObject({
      code: 400,
      body: { errors: [expect.stringMatching(/type: type_unknown \(limit: gauge, count or rate\)/)] },
    });
  });

  test('validates its key', async () => {
    expect(await new v1.AuthenticationApi(configuration('placeholder')).validate()).toMatchObject({ valid: true });
  });
});

describe('an agent with distributions', () => {
  test.each([
    ['identity', (bytes: Buffer) => bytes],
    ['deflate', deflateSync],
    ['zstd', (bytes: Buffer) => zstdCompressSync(bytes)],
  ] as const)('sends sketches with the coding %s', async (coding, encode) => {
    const startS = Math.floor(Date.now() / 60_000) * 60 - 60;
    const text = (field: number, value: string) => sized(field, Buffer.from(value));
    const double = (field: number, value: number) => {
      const bytes = Buffer.alloc(9, (field << 3) | 1);
      bytes.writeDoubleLE(value, 1);
      return bytes;
    };
    // 100 values of about 1 (key 1338), 10 of about 10 (key 1338 + 149); keys are zigzag.
    const sketch = Buffer.concat([
      ...[Buffer.of(0x08), varint(startS), Buffer.of(0x10, 110), double(3, 0.995), double(4, 10.05), double(6, 200)],
      ...[sized(7, Buffer.concat([varint(1338 * 2), varint(1487 * 2)])), sized(8, Buffer.of(100, 10))],
    ]);
    const metric = `agent.latency.${coding}`;
    const series = Buffer.concat([text(1, metric), text(2, 'web-1'), text(4, 'env:prod'), sized(7, sketch)]);
    const response = await post('/api/beta/sketches', encode(sized(1, series)), {
      'content-type': 'application/x-protobuf',
      'content-encoding': coding,
    });
    expect([response.status, await response.json()]).toEqual([202, { errors: [] }]);
    const values = valuesOf(startS);
    expect(await values(`count:${metric}{env:prod} by {host}.rollup(60)`)).toEqual([['host:web-1'], 110]);
    expect(await values(`sum:${metric}{*}.rollup(60)`)).toEqual([[], 200]);
    expect(await values(`max:${metric}{*}.rollup(60)`)).toEqual([[], 10.05]);
    const [, p50] = await values(`p50:${metric}{*}.rollup(60)`);
    expect(Math.abs(Number(p50) - 1)).toBeLessThan(0.018);
  });
});

describe('an agent', () => {
  // Bytes as an agent writes them: rates of DogStatsD counts, resources, and an origin that Tidemark ignores.
  const body = (nowS: number): Buffer => {
    const text = (field: number, value: string) => sized(field, Buffer.from(value));
    const point = (value: number) => {
      const double = Buffer.alloc(8);
      double.writeDoubleLE(value);
      return sized(4, Buffer.concat([Buffer.of(0x10), varint(nowS), Buffer.of(0x09), double]));
    };
    const resource = (type: string, name: string) => sized(1, Buffer.concat([text(1, type), text(2, name)]));
    const tail = (type: number) => Buffer.concat([Buffer.of(0x28, type), text(7, 'System'), Buffer.of(0x40, 10)]);
    const origin = sized(9, sized(1, Buffer.of(0x20, 10, 0x28, 11)));
    const hits = [resource('host', 'web-1'), text(2, 'agent.hits'), text(3, 'env:prod'), tail(2), point(0.7), origin];
    const disk = [
      resource('host', 'web-1'),
      resource('device', 'sda1'),
      text(2, 'agent.disk'),
      tail(3),
      point(5),
      origin,
    ];
    return Buffer.concat([hits, disk].map((fields) => sized(1, Buffer.concat(fields))));
  };

  test.each([
    ['identity', (bytes: Buffer) => bytes],
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['zstd', (bytes: Buffer) => zstdCompressSync(bytes)],
  ] as const)('sends protobuf with the coding %s', async (coding, encode) => {
    const nowS = Math.floor(Date.now() / 1000);
    const key = await platform.createKey(`agent-${coding}`, 'agent', ['send', 'read']);
    const response = await post('/api/v2/series', encode(body(nowS)), {
      'content-type': 'application/x-protobuf',
      'content-encoding': coding,
      'dd-api-key': key,
    });
    expect([response.status, await response.json()]).toEqual([202, { errors: [] }]);
    const answer = async (query: string) => {
      const { series } = await platform.queryComplete(query, (nowS - 10) * 1000, Date.now(), key);
      return series.map(({ tagSet, values: [first] }) => [tagSet, first]);
    };
    expect(await answer('sum:agent.hits{env:prod} by {host}.rollup(points, 60)')).toEqual([[['host:web-1'], 7]]);
    expect(await answer('avg:agent.disk{*} by {device}.rollup(avg, 60)')).toEqual([[['device:sda1'], 5]]);
  });
});

describe('keys', () => {
  let acme: string;
  let globex: string;
  let reader: string;
  beforeAll(async () => {
    acme = await platform.createKey('acme', 'agents', ['send', 'read']);
    globex = await platform.createKey('globex', 'agents', ['send', 'read']);
    reader = await platform.createKey('acme', 'dashboards', ['read']);
  });

  test('keys separate tenants, in the header and in the address', async () => {
    const nowS = Math.floor(Date.now() / 1000);
    const series = (value: number) =>
      JSON.stringify({ series: [{ metric: 'own', type: COUNT, points: [{ timestamp: nowS, value }] }] });
    expect((await post('/api/v2/series', series(1), { 'dd-api-key': acme })).status).toBe(202);
    expect((await post(`/api/v2/series?api_key=${globex}`, series(10))).status).toBe(202);
    for (const [key, value] of [
      [acme, 1],
      [globex, 10],
    ] as const) {
      const answer = await platform.queryComplete('sum:own{*}.rollup(sum, 60)', (nowS - 60) * 1000, Date.now(), key);
      expect(answer.series.map(({ values }) => values)).toEqual([[value]]);
    }
  });

  test('a wrong or read-only key is refused with 403, which the client expects', async () => {
    const body = { series: [{ metric: 'no', points: [{ timestamp: Math.floor(Date.now() / 1000), value: 1 }] }] };
    for (const key of ['placeholder', reader]) {
      await expect(metricsApi(key).submitMetrics({ body })).rejects.toMatchObject({
        code: 403,
        body: { errors: [expect.any(String)] },
      });
    }
    const validate = (key: string) => new v1.AuthenticationApi(configuration(key)).validate();
    await expect(validate('placeholder')).rejects.toMatchObject({ code: 403 });
    expect(await validate(reader)).toMatchObject({ valid: true });
    expect(await (await fetch(`${platform.httpUrl}/api/v1/validate?api_key=${acme}`)).json()).toEqual({ valid: true });
    expect((await fetch(`${platform.httpUrl}/api/v1/validate?api_key=wrong`)).status).toBe(403);
  });
});

function configuration(key: string) {
  const made = datadog.createConfiguration({
    authMethods: { apiKeyAuth: key, appKeyAuth: key },
    baseServer: new datadog.ServerConfiguration(platform.httpUrl, {}),
    // The client needs a zstd function from its user.
    zstdCompressorCallback: (body: string) => zstdCompressSync(Buffer.from(body)),
  });
  return made;
}

/** Queries the minute from `startS`, and returns tags and values of the only series. */
function valuesOf(startS: number) {
  return async (query: string): Promise<unknown[]> => {
    await platform.queryComplete(query, startS * 1000, Date.now());
    const { series = [] } = await v1Api().queryMetrics({ from: startS, to: startS + 60, query });
    expect(series).toHaveLength(1);
    return [series[0].tagSet, ...(series[0].pointlist ?? []).map(([, value]) => value)];
  };
}

function metricsApi(key = 'placeholder'): v2.MetricsApi {
  return new v2.MetricsApi(configuration(key));
}

function v1Api(): v1.MetricsApi {
  return new v1.MetricsApi(configuration('placeholder'));
}

function post(path: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const json = { 'content-type': 'application/json' };
  return fetch(`${platform.httpUrl}${path}`, { method: 'POST', body, headers: { ...json, ...headers } });
}

function sized(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of((field << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.of(...bytes, rest);
}
