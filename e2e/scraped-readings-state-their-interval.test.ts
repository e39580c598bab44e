import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SystemClock } from '@tidemark/node-runtime';
import { type ScrapeTarget, scrapeChecks } from '@tidemark/openmetrics';
import { AgentUnderTest } from './process/agent-under-test.ts';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
let platform: PlatformUnderTest;
let target: Awaited<ReturnType<typeof exporter>>;
beforeEach(async () => {
  platform = await harness.platform();
  target = await exporter();
});
afterEach(() => harness.clear());

/** An exporter of a gauge, and of one whose samples have timestamps. */
async function exporter() {
  const timesMs: number[] = [];
  const server = createServer((_, response) => {
    const nowMs = Date.now();
    timesMs.push(nowMs);
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4', connection: 'close' });
    response.end(`# TYPE depth gauge\ndepth 7\n# TYPE own_time gauge\nown_time 7 ${nowMs}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  harness.onClear(() => new Promise((resolve) => server.close(resolve)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`, timesMs };
}

/** Time after which an agent that is started now scrapes, ms. */
const SOON_MS = 4_000;

/**
 * A target that is scraped soon after `fromMs`: the phase of a scrape follows from its URL and tags. Its series have the
 * tag `instance:me`.
 */
function soonScraped(intervalMs: number, fromMs: number): ScrapeTarget {
  const wantedMs = (fromMs + SOON_MS) % intervalMs;
  const ports = { clock: new SystemClock(), readText: async () => '' };
  for (let i = 0; ; i++) {
    const made = { url: `${target.url}?${i}`, instance: 'me', intervalMs, timeoutMs: 1_000 };
    const [{ phaseMs = 0 }] = scrapeChecks([made], ports);
    if (Math.abs(phaseMs - wantedMs) < 500) return made;
  }
}

async function startAgent(intervalMs: number, fromMs = Date.now()): Promise<AgentUnderTest> {
  const agent = await AgentUnderTest.start(await harness.folder(), {
    agent: { addresses: [platform.grpcAddress], flushIntervalMs: 200, hostname: 'web-1' },
    scrape: { targets: [soonScraped(intervalMs, fromMs)] },
  });
  harness.onClear(() => agent.stop());
  return agent;
}

const scrapes = (count: number): Promise<unknown> =>
  eventually(`scrape ${count}`, () => target.timesMs.length >= count, 90_000);

/** Resolves when an agent has ended a scrape: a stop during one would leave its readings out. */
const hasScraped = (agent: AgentUnderTest): Promise<unknown> =>
  eventually(
    'the end of a scrape',
    async () => {
      const { checks } = await agent.status();
      return checks.some(({ name, runs, running }) => name === 'scrape me' && runs > 0 && !running);
    },
    90_000,
  );

/** Runs an agent until it has scraped, and returns the time of its last scrape, ms. A stop ends no series. */
async function scrapeOnce(intervalMs: number, fromMs?: number): Promise<number> {
  const agent = await startAgent(intervalMs, fromMs);
  await hasScraped(agent);
  expect(await agent.stop()).toBe(0);
  return target.timesMs.at(-1) ?? 0;
}

/** A reading has the time at which its scrape began, some ms before the request arrives here. */
const SLACK_MS = 200;

/** Checks that a metric has a value from `fromMs` to `toMs`, ms, and no longer. What is to come is asked for too. */
async function expectHeld(metric: string, fromMs: number, toMs: number): Promise<void> {
  const startMs = Math.floor((fromMs - SLACK_MS) / 1000) * 1000;
  const query = `max:${metric}{instance:me}.rollup(max, 1)`;
  const held = async (): Promise<number[]> => {
    const { series, errors } = await platform.query(query, startMs, startMs + 200_000);
    expect(errors).toEqual([]);
    return series.flatMap(({ timesMs, values }) => timesMs.filter((_, i) => !Number.isNaN(values[i])));
  };
  const reading = (ms: number): boolean => ms > fromMs - SLACK_MS - 1000 && ms <= fromMs;
  await eventually(`a reading of ${metric}`, async () => (await held()).some(reading));
  const seconds = await held();
  const endMs = seconds.find((ms) => !seconds.includes(ms + 1000)) ?? 0;
  expect(endMs + 1000).toBeGreaterThan(toMs - SLACK_MS);
  expect(endMs).toBeLessThanOrEqual(toMs);
}

test('a scraped gauge holds for 2.5 intervals from its first reading on, and an inferred one for 25 s', async () => {
  const timeMs = await scrapeOnce(30_000);
  for (const metric of ['depth', 'tidemark.agent.scrape.up']) await expectHeld(metric, timeMs, timeMs + 75_000);
  await expectHeld('own_time', timeMs, timeMs + 25_000);
}, 120_000);

test('an agent that is restarted with another interval changes it from then on', async () => {
  const firstMs = await scrapeOnce(2_000);
  const secondMs = await scrapeOnce(30_000, firstMs + 5_000);
  expect(secondMs - firstMs).toBeGreaterThan(7_000);
  await expectHeld('depth', secondMs, secondMs + 75_000);
  await expectHeld('depth', firstMs, firstMs + 5_000);
  const thirdMs = await scrapeOnce(2_000);
  await expectHeld('depth', thirdMs, thirdMs + 5_000);
}, 240_000);

test('of two agents that state different intervals of one series, the statement that arrived last holds', async () => {
  const often = await startAgent(4_000);
  await scrapes(1);
  const rarely = await startAgent(30_000);
  await Promise.all([hasScraped(often), hasScraped(rarely)]);
  expect(await rarely.stop()).toBe(0);
  // The other one continues, and does not state its interval again.
  await scrapes(target.timesMs.length + 2);
  await hasScraped(often);
  expect(await often.stop()).toBe(0);
  const lastMs = target.timesMs.at(-1) ?? 0;
  await expectHeld('depth', target.timesMs[0], lastMs + 75_000);
  await expectHeld('depth', lastMs, lastMs + 75_000);
}, 240_000);
