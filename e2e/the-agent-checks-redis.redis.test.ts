import { afterAll, expect, test } from '@jest/globals';
import { REDIS_START_MS, RedisServer, redisSuite } from '@tidemark/integrations/testing';
import { AgentUnderTest } from './process/agent-under-test.ts';
import { eventually } from './process/eventually.ts';
import { TestHarness } from './process/test-harness.ts';

const WAIT_MS = 60_000;
const harness = new TestHarness();

await redisSuite('an agent process with a real Redis', () => {
  afterAll(() => harness.clear());

  test(
    'sends the figures of Redis, and reports when Redis ends',
    async () => {
      const platform = await harness.platform();
      const redis = await RedisServer.start();
      harness.onClear(() => redis.stop());
      const agent = await AgentUnderTest.start(await harness.folder(), {
        agent: { addresses: [platform.grpcAddress], flushIntervalMs: 200 },
        integrations: { redis: [{ address: redis.address, intervalMs: 1000, tags: ['role:cache'] }] },
      });
      harness.onClear(() => agent.stop());
      const last = async (metric: string): Promise<number | undefined> => {
        const query = `max:${metric}{redis_port:${redis.port},role:cache}.rollup(max, 1)`;
        const { series } = await platform.query(query, Date.now() - 600_000, Date.now());
        return series[0]?.values.filter((value) => !Number.isNaN(value)).at(-1);
      };
      await eventually('it to be up', async () => (await last('redis.can_connect')) === 1, WAIT_MS, 200);
      await eventually('a rate', async () => ((await last('redis.net.commands')) ?? 0) > 0, WAIT_MS, 200);
      expect(await last('redis.net.clients')).toBe(1);
      expect(await last('redis.mem.used')).toBeGreaterThan(100_000);
      await redis.stop();
      await eventually('it to be down', async () => (await last('redis.can_connect')) === 0, WAIT_MS, 200);
      expect(await agent.stop()).toBe(0);
    },
    REDIS_START_MS + 3 * WAIT_MS,
  );
});
