import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { AgentUnderTest } from './process/agent-under-test.ts';
import { eventually } from './process/eventually.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

/** An exporter whose counter grows by 5 with each scrape, and whose second scrape has a bad line. */
async function exporter() {
  let scrapes = 0;
  const server = createServer((_, response) => {
    scrapes++;
    response.writeHead(200, { 'content-type': 'application/openmetrics-text; version=1.0.0' });
    response.end(
      [
        '# TYPE jobs counter',
        `jobs_total{queue="a"} ${1000 + 5 * scrapes} # {trace_id="x"} 1`,
        'jobs_created{queue="a"} 1.7e9',
        '# TYPE depth gauge',
        `depth{queue="a"} ${scrapes}`,
        ...(scrapes === 2 ? ['depth{queue=b} 1'] : []),
        '# EOF\n',
      ].join('\n'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // The response in progress is finished first, because scraped samples must arrive.
  const close = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  harness.onClear(close);
  return { port: (server.address() as AddressInfo).port, scrapes: () => scrapes, close };
}

test('an agent process sends scraped samples to a reachable intake, and reports a vanished target', async () => {
  const platform = await harness.platform();
  const target = await exporter();
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
          url: `http://127.0.0.1:${target.port}/metrics`,
          instance: 'shop',
          prefix: 'shop.',
          intervalMs: 1000,
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

  await eventually('five scrapes', () => target.scrapes() >= 5, 30_000);
  await target.close();
  const scrapes = target.scrapes();
  await eventually(
    'the target to be down',
    async () => (await ask(`max:tidemark.agent.scrape.up${scope}.rollup(max, 1)`)).at(-1) === 0,
    30_000,
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
}, 90_000);
