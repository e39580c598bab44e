import { afterEach, expect, test } from '@jest/globals';
import { compressSync } from 'snappy';
import {
  STALE,
  timeSeries,
  type WrittenSeries,
  writeRequest,
} from '../libs/ingest/remote-write/src/write-request.fixture.ts';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

/** Sends as Prometheus does: again while the answer is 503, as that of a process which was started a moment ago on a busy machine. */
async function post(
  platform: PlatformUnderTest,
  series: readonly WrittenSeries[],
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  return eventually('an answer that is not 503', async () => {
    const response = await fetch(`${platform.httpUrl}/api/v1/write`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-protobuf',
        'content-encoding': 'snappy',
        'x-prometheus-remote-write-version': '0.1.0',
        ...headers,
      },
      body: new Uint8Array(compressSync(writeRequest(series))),
    });
    const text = await response.text();
    return response.status !== 503 && { status: response.status, text };
  });
}

function series(name: string, host: string, ...samples: (readonly [number, number | Float64Array])[]): WrittenSeries {
  return {
    labels: [
      ['__name__', name],
      ['host', host],
      ['job', 'node'],
    ],
    samples,
  };
}

async function total(platform: PlatformUnderTest, query: string, fromMs: number, key?: string): Promise<number> {
  const reply = await platform.queryComplete(query, fromMs, Date.now(), key);
  return reply.series.flatMap(({ values }) => values).reduce((sum, value) => sum + value, 0);
}

test('samples of Prometheus are found by their names and labels, also after a kill', async () => {
  const folder = await harness.folder();
  const platform = await harness.platform({ folder });
  const nowMs = Date.now();
  const fromMs = nowMs - 60_000;
  for (let round = 0; round < 5; round++) {
    const timeMs = nowMs - 5000 + round * 1000;
    const hosts = ['a', 'b', 'c'].flatMap((host, i) => [
      series('requests_total', host, [timeMs, round * 10 + i]),
      series('load1', host, [timeMs, i === 2 && round === 4 ? STALE : i + 0.5]),
    ]);
    // Equivalent forms: labels in another order, and a series by itself.
    const bodies = round % 2 === 0 ? [hosts] : [hosts.map((one) => ({ ...one, labels: one.labels.toReversed() }))];
    for (const body of bodies) expect(await post(platform, body)).toEqual({ status: 204, text: '' });
  }
  expect(await total(platform, 'sum:requests_total{*}.rollup(count, 86400)', fromMs)).toBe(15);
  expect(await total(platform, 'sum:load1{job:node} by {host}.rollup(count, 86400)', fromMs)).toBe(14);
  const { series: byHost } = await platform.queryComplete(
    'avg:load1{*} by {host}.rollup(avg, 86400)',
    fromMs,
    Date.now(),
  );
  expect(byHost.map(({ tagSet, values }) => [tagSet, values])).toEqual([
    [['host:a'], [0.5]],
    [['host:b'], [1.5]],
    [['host:c'], [2.5]],
  ]);
  expect(await platform.tags('load1')).toEqual(['host:a', 'host:b', 'host:c', 'job:node']);
  const { sessions } = await platform.status();
  expect(sessions[0]).toMatchObject({ rejectedPoints: {}, leftOut: {} });

  await platform.kill9();
  const second = await harness.platform({ folder });
  expect(await post(second, [series('requests_total', 'a', [Date.now(), 99])])).toMatchObject({ status: 204 });
  expect(await total(second, 'sum:requests_total{*}.rollup(count, 86400)', fromMs)).toBe(16);
});

test('the good part of a request is kept, and the answer names field and limit of the rest', async () => {
  const platform = await harness.platform();
  const nowMs = Date.now();
  const histogram: WrittenSeries = { ...series('latency', 'a'), more: [[0x22, Buffer.of(0x78, 1)]] };
  const bad = await post(platform, [
    series('good', 'a', [nowMs, 1]),
    series('good', 'b', [nowMs + 3_600_000, 1], [nowMs, 2]),
    { labels: [['host', 'a']], samples: [[nowMs, 1]] },
    {
      labels: [
        ['__name__', 'twice'],
        ['host', 'a'],
        ['host', 'b'],
      ],
      samples: [[nowMs, 1]],
    },
    histogram,
  ]);
  expect(bad.status).toBe(400);
  expect(bad.text).toMatch(/^2 points stored; refused: /);
  for (const part of ['timestamp_ahead', '__name__', 'label_repeated', 'native_histogram'])
    expect(bad.text).toContain(part);
  expect(await total(platform, 'sum:good{*}.rollup(count, 86400)', nowMs - 60_000)).toBe(2);
  const { sessions } = await platform.status();
  expect(sessions[0].rejectedPoints).toEqual({
    timestamp_ahead: 1,
    labels_without_name: 1,
    label_repeated: 1,
    native_histogram: 1,
  });
});

test('a key is accepted as password of basic auth, as bearer or in DD-API-KEY, and tenants are separate', async () => {
  const platform = await harness.platform();
  const admin = await platform.createKey('default', 'admin', ['admin']);
  const key = await platform.createKey('prom', 'writer', ['send', 'read'], admin);
  const reader = await platform.createKey('prom', 'reader', ['read'], admin);
  const nowMs = Date.now();
  const basic = (password: string) => ({ authorization: `Basic ${Buffer.from(`any:${password}`).toString('base64')}` });
  const ways = [basic(key), { authorization: `Bearer ${key}` }, { 'dd-api-key': key }];
  for (const [i, headers] of ways.entries()) {
    expect(await post(platform, [series('m', `h${i}`, [nowMs, 1])], headers)).toMatchObject({ status: 204 });
  }
  expect(await post(platform, [series('m', 'x', [nowMs, 1])], basic('nobody'))).toMatchObject({ status: 401 });
  expect(await post(platform, [series('m', 'x', [nowMs, 1])], basic(reader))).toMatchObject({ status: 403 });
  expect(await total(platform, 'sum:m{*}.rollup(count, 86400)', nowMs - 60_000, key)).toBe(3);
  expect(await platform.metrics(admin)).not.toContain('m');
});

test('a request that is not remote write 1.0 gets the status for its error', async () => {
  const platform = await harness.platform();
  const one = [series('m', 'a', [Date.now(), 1])];
  const v2 = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';
  expect(await post(platform, one, { 'content-type': 'application/json' })).toMatchObject({ status: 415 });
  expect(await post(platform, one, { 'content-type': v2 })).toMatchObject({ status: 415 });
  expect(await post(platform, one, { 'content-encoding': 'gzip' })).toMatchObject({ status: 415 });
  expect(await post(platform, one, { 'x-prometheus-remote-write-version': '2.0.0' })).toMatchObject({ status: 400 });
  const send = (body: Uint8Array<ArrayBuffer>) =>
    fetch(`${platform.httpUrl}/api/v1/write`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
      body,
    });
  const text = async (body: Uint8Array) => {
    const response = await send(new Uint8Array(body));
    return `${response.status} ${await response.text()}`;
  };
  expect(await text(Buffer.of(0xff, 0xff, 0xff, 0xff, 0x0f))).toMatch(/^413 rawBytes: 4294967295 bytes/);
  expect(await text(Buffer.from('no snappy'))).toMatch(/^400 snappy: /);
  expect(await text(compressSync(timeSeries(one[0])))).toMatch(/^400 protobuf: /);
  expect(await platform.metrics()).not.toContain('m');
});
