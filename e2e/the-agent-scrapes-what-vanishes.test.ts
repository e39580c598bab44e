import { afterEach, expect, test } from '@jest/globals';
import { AgentUnderTest } from './process/agent-under-test.ts';
import { eventually, WITHIN_MS } from './process/eventually.ts';
import { replayDisturbed } from './process/replay-disturbed.ts';
import { TestHarness } from './process/test-harness.ts';
import { TimedExporter } from './process/timed-exporter.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

const INTERVAL_MS = 1_000;

/** An exporter whose counter grows by 5 with each scrape, and whose second scrape has a bad line. */
async function listen(): Promise<TimedExporter> {
  const bodyOf = (answer: number): string =>
    [
      '# TYPE jobs counter',
      `jobs_total{queue="a"} ${1005 + 5 * answer} # {trace_id="x"} 1`,
      'jobs_created{queue="a"} 1.7e9',
      '# TYPE depth gauge',
      `depth{queue="a"} ${1 + answer}`,
      ...(answer === 1 ? ['depth{queue=b} 1'] : []),
      '# EOF\n',
    ].join('\n');
  const exporter = await TimedExporter.listen(INTERVAL_MS, bodyOf, 'application/openmetrics-text; version=1.0.0');
  harness.onClear(() => exporter.close());
  return exporter;
}

async function play(target: TimedExporter): Promise<void> {
  const platform = await harness.platform();
  const fromMs = Date.now() - 1_000;
  const agent = await AgentUnderTest.start(await harness.folder(), {
    // No intake listens at the first address.
    agent: {
      addresses: ['127.0.0.1:1', platform.grpcAddress],
      flushIntervalMs: 200,
      hostname: 'web-1',
      tags: ['env:e2e'],
    },
    scrape: {
      targets: [
        {
          url: target.url,
          instance: 'shop',
          prefix: 'shop.',
          intervalMs: INTERVAL_MS,
          timeoutMs: 900,
        },
      ],
    },
  });
  harness.onClear(() => agent.stop());
  const scope = '{host:web-1,env:e2e,instance:shop}';

  /** Returns the values of one series by second, from an answer that is complete up to now. */
  const ask = async (query: string): Promise<number[]> => {
    const { series, errors } = await platform.queryComplete(query, fromMs, Date.now());
    expect(errors).toEqual([]);
    expect(series.length).toBeLessThanOrEqual(1);
    return [...(series[0]?.values ?? [])].filter((value) => !Number.isNaN(value));
  };

  await eventually('five scrapes', () => target.answered >= 5);
  await target.close();
  const scrapes = target.answered;
  await eventually(
    'the target to be down',
    async () => (await ask(`max:tidemark.agent.scrape.up${scope}.rollup(max, 1)`)).at(-1) === 0,
    WITHIN_MS,
    200,
  );

  // Each scrape arrived once: the gauge counts the scrapes, and the counter grew by 5 with each after the first.
  const sum = async (query: string): Promise<number> => {
    const values = await ask(`${query}.rollup(sum, 1)`);
    return values.reduce((total, value) => total + value, 0);
  };
  expect(await sum('sum:shop.depth{instance:shop,queue:a}')).toBe((scrapes * (scrapes + 1)) / 2);
  expect(await sum(`sum:shop.jobs_total${scope}.as_count()`)).toBeCloseTo(5 * (scrapes - 1), 9);
  expect(await sum(`sum:tidemark.agent.scrape.up${scope}`)).toBe(scrapes);
  expect(await sum('sum:tidemark.agent.scrape.rejected{instance:shop,reason:labels_malformed}')).toBe(1);
  expect(await platform.metrics()).not.toContain('shop.jobs_created');

  const { checks, client } = await agent.status();
  expect(checks.find(({ name }) => name === 'scrape shop')).toMatchObject({
    runs: expect.any(Number),
    error: expect.stringContaining('ECONNREFUSED'),
  });
  // The frontier promises that no older points follow. Samples that were read between flushes keep the promise.
  expect(client.behindFrontierPoints).toBe(0);
  expect(await agent.stop()).toBe(0);
  expect(agent.output).toContain('a check failed');
  expect(agent.output).toMatch(/a scrape left lines out .*reason=labels_malformed line=6/);
  expect(agent.output).toContain('ECONNREFUSED');
}

test('an agent process sends scraped samples to a reachable intake, and reports a vanished target', async () => {
  let target = await listen();
  await replayDisturbed(
    () => play(target),
    () => target.disturbance(),
    async () => {
      await harness.clear();
      target = await listen();
    },
  );
}, 480_000);
