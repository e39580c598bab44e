import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { AgentUnderTest } from './process/agent-under-test.ts';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

/** Readings hold for 2.5 of them, so a series that is held beyond the scrape that lacks it shows for 3 s more. */
const INTERVAL_MS = 2_000;
/** The queues of each scrape. After the last one the target is closed. */
const SCRAPES = ['ab', 'ab', 'a', 'a', 'ab', 'ab'];

/** An exporter of a gauge and a counter per queue, whose queues come and go. */
async function exporter(port = 0): Promise<{ server: Server; port: number; timesMs: number[] }> {
  const timesMs: number[] = [];
  const server = createServer((_, response) => {
    const queues = SCRAPES[timesMs.push(Date.now()) - 1] ?? 'ab';
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4', connection: 'close' });
    const samples = (metric: string, value: number): string =>
      [...queues].map((queue) => `${metric}{queue="${queue}"} ${value}\n`).join('');
    const total = 1000 + 10 * timesMs.length;
    response.end(`# TYPE depth gauge\n${samples('depth', 7)}# TYPE jobs counter\n${samples('jobs_total', total)}`);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  harness.onClear(() => close(server));
  return { server, port: (server.address() as AddressInfo).port, timesMs };
}

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** The starts of the seconds in which a query has a value, ms. */
async function secondsOf(platform: PlatformUnderTest, query: string, fromMs: number, toMs: number): Promise<number[]> {
  const { series } = await platform.queryComplete(query, fromMs, toMs);
  expect(series).toMatchObject([{ intervalMs: 1000 }]);
  return series[0].timesMs.filter((_, i) => !Number.isNaN(series[0].values[i]));
}

const secondOf = (timeMs: number): number => Math.floor(timeMs / 1000) * 1000;

test('a scraped gauge holds to the scrape that lacks it or fails, and begins again with its next sample', async () => {
  const platform = await harness.platform();
  const target = await exporter();
  const agent = await AgentUnderTest.start(await harness.folder(), {
    agent: { addresses: [platform.grpcAddress], flushIntervalMs: 200, hostname: 'web-1' },
    scrape: {
      targets: [
        { url: `http://127.0.0.1:${target.port}/metrics`, instance: 'shop', intervalMs: INTERVAL_MS, timeoutMs: 1_500 },
      ],
    },
  });
  harness.onClear(() => agent.stop());
  const { timesMs } = target;
  await eventually('all scrapes', () => timesMs.length >= SCRAPES.length, 60_000);
  await close(target.server);
  const fromMs = secondOf(timesMs[0]) - 1000;
  const deadFromMs = timesMs[SCRAPES.length - 1] + INTERVAL_MS;
  const toMs = secondOf(deadFromMs) + 4000;
  const seconds = (query: string): Promise<number[]> => secondsOf(platform, `${query}.rollup(max, 1)`, fromMs, toMs);
  /** Each second from the one that contains `startMs` to the one that contains `endMs`. */
  const within = (startMs: number, endMs: number): number[] => {
    const all = [];
    for (let timeMs = secondOf(startMs); timeMs <= endMs; timeMs += 1000) all.push(timeMs);
    return all;
  };

  const a = await seconds('max:depth{queue:a}');
  const b = await seconds('max:depth{queue:b}');
  // A reading has the time at which its scrape began, some ms before the request arrives here.
  const slackMs = 100;
  const scraped = (i: number): number => timesMs[i] - slackMs;
  expect(within(scraped(0) + 1000, deadFromMs - slackMs - 1000).filter((timeMs) => !a.includes(timeMs))).toEqual([]);
  expect(a.filter((timeMs) => timeMs > deadFromMs)).toEqual([]);
  expect(within(scraped(0) + 1000, scraped(2) - 1000).filter((timeMs) => !b.includes(timeMs))).toEqual([]);
  expect(b.filter((timeMs) => timeMs > timesMs[2] && timeMs + 1000 < scraped(4))).toEqual([]);
  expect(within(timesMs[4], deadFromMs - slackMs - 1000).filter((timeMs) => !b.includes(timeMs))).toEqual([]);
  expect(b.filter((timeMs) => timeMs > deadFromMs)).toEqual([]);

  const { series } = await platform.queryComplete('sum:jobs_total{queue:b}.as_count().rollup(sum, 60)', fromMs, toMs);
  const increase = [...series[0].values].filter((value) => value > 0).reduce((sum, value) => sum + value, 0);
  // The four intervals of 10 from the first to the last scrape, and the one that has only a stale marker at its end.
  expect(increase).toBeCloseTo(50, 6);
  const up = 'max:tidemark.agent.scrape.up{instance:shop}.rollup(last, 1)';
  const { series: ups } = await platform.queryComplete(up, fromMs, toMs);
  expect([...ups[0].values].at(-1)).toBe(0);

  const revived = await exporter(target.port);
  await eventually('a scrape of the target that came back', () => revived.timesMs.length >= 1, 30_000);
  const backMs = secondOf(revived.timesMs[0]) + 1000;
  expect(await secondsOf(platform, 'max:depth{queue:b}.rollup(max, 1)', backMs, backMs + 1000)).toEqual([backMs]);
  const { client } = await agent.status();
  expect(client).toMatchObject({ rejectedPoints: 0, refusedPoints: 0, behindFrontierPoints: 0 });
}, 120_000);
