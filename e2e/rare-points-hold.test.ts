import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DAY_MS, dayOf } from '@tidemark/model';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const HOUR_MS = DAY_MS / 24;
const GAUGE = 3;
const COUNT = 1;

const harness = new TestHarness();
let platform: PlatformUnderTest;
beforeAll(async () => {
  platform = await harness.platform();
});
afterAll(() => harness.clear());

/** Midnight five days ago: the days after it have ended, and an intake accepts their points. */
const midnightMs = (dayOf(Date.now()) - 5) * DAY_MS;

async function submit(metric: string, fields: object, points: readonly (readonly [hour: number, value: number])[]) {
  const sent = points.map(([hour, value]) => ({ timestamp: (midnightMs + hour * HOUR_MS) / 1000, value }));
  const body = JSON.stringify({ series: [{ metric, ...fields, points: sent }] });
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${platform.httpUrl}/api/v2/series`, { method: 'POST', headers, body });
  expect(answer.status).toBe(202);
  await eventually(metric, async () => (await platform.metrics()).includes(metric));
}

/** Values of an hour that begins `hour` hours after that midnight, in steps of ten minutes. */
async function hourOf(query: string, hour: number, fold = 'avg'): Promise<readonly number[]> {
  const fromMs = midnightMs + hour * HOUR_MS;
  const { series, errors } = await platform.query(`${query}.rollup(${fold}, 600)`, fromMs, fromMs + HOUR_MS);
  expect(errors).toEqual([]);
  return series.flatMap(({ values }) => [...values]);
}

const STEPS = 6;
const all = (value: number): number[] => Array.from({ length: STEPS }, () => value);

test('a gauge with an interval of a day holds for two and a half days, also where its days have no reading', async () => {
  await submit('backup.size', { type: GAUGE, interval: 86_400 }, [[6, 700]]);
  await eventually('the reading', async () => (await hourOf('avg:backup.size{*}', 6)).length === STEPS);
  expect(await hourOf('avg:backup.size{*}', 24 + 12)).toEqual(all(700));
  expect(await hourOf('avg:backup.size{*}', 48 + 12)).toEqual(all(700));
  expect(await hourOf('avg:backup.size{*}', 48 + 18)).toEqual([]);
  expect(await hourOf('avg:backup.size{*}', 72 + 12)).toEqual([]);
});

test.each(['gauge', 'reading'] as const)('a %s of the client library, as of a scrape, holds as long', async (kind) => {
  const client = await harness.client(platform.grpcAddress);
  client.series(`restore.${kind}`, kind, [], DAY_MS).record(300, midnightMs + 6 * HOUR_MS);
  client.series(`unsaid.${kind}`, kind).record(300, midnightMs + 6 * HOUR_MS);
  expect(await client.flush({ timeoutMs: 30_000 })).toMatchObject({ acknowledgedPoints: 2 });
  const stated = `avg:restore.${kind}{*}`;
  await eventually('the reading', async () => (await hourOf(stated, 6)).length === STEPS);
  expect(await hourOf(stated, 24 + 12)).toEqual(all(300));
  expect(await hourOf(stated, 48 + 12)).toEqual(all(300));
  expect(await hourOf(stated, 48 + 18)).toEqual([]);
  expect(await hourOf(`avg:unsaid.${kind}{*}`, 24 + 12)).toEqual([]);
});

test('a gauge that is sent daily without an interval holds for as long, from its fourth reading on', async () => {
  const daily = [6, 24 + 6, 48 + 6, 72 + 6].map((hour, i) => [hour, i] as const);
  await submit('audit.findings', { type: GAUGE }, daily);
  await eventually('the readings', async () => (await hourOf('avg:audit.findings{*}', 72 + 6)).length === STEPS);
  expect(await hourOf('avg:audit.findings{*}', 96 + 12)).toEqual(all(3));
});

test('a count with an interval of a day is spread over the day after its timestamp', async () => {
  await submit('orders.daily', { type: COUNT, interval: 86_400 }, [[18, 14_400]]);
  const sum = 'sum:orders.daily{*}.as_count()';
  await eventually('the count', async () => (await hourOf(sum, 18, 'sum')).length === STEPS);
  expect(await hourOf(sum, 36, 'sum')).toEqual(all(100));
  expect(await hourOf(sum, 43, 'sum')).toEqual([]);
});

test('an interval up to the flush interval of the Agent is not a statement about a gauge', async () => {
  const minutely = Array.from({ length: 10 }, (_, i) => [1 + i / 60, 5] as const);
  await submit('disk.free', { type: GAUGE, interval: 10 }, minutely);
  const held = async () => {
    const { series } = await platform.query(
      'avg:disk.free{*}.rollup(avg, 1)',
      midnightMs + HOUR_MS + 6 * 60_000,
      midnightMs + HOUR_MS + 7 * 60_000,
    );
    return series.flatMap(({ values }) => [...values]);
  };
  await eventually('the readings', async () => (await held()).length > 0);
  expect(await held()).toEqual(Array.from({ length: 60 }, () => 5));
});

test('an interval of two days that a user states of a metric finds its series on the five days after', async () => {
  await submit('audit.total', { type: GAUGE }, [[6, 12]]);
  await eventually('the reading', async () => (await hourOf('avg:audit.total{*}', 6)).length > 0);
  expect(await hourOf('avg:audit.total{*}', 72 + 12)).toEqual([]);
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ statsd_interval: 2 * 86_400 });
  const answer = await fetch(`${platform.httpUrl}/api/v1/metrics/audit.total`, { method: 'PUT', headers, body });
  expect(answer.status).toBe(200);
  await eventually('its series', async () => (await hourOf('avg:audit.total{*}', 72 + 12)).length === STEPS);
  expect(await hourOf('avg:audit.total{*}', 96 + 12)).toEqual(all(12));
});
