import { afterEach, expect, test } from '@jest/globals';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

test('a second process on a data folder is refused, and the first continues', async () => {
  const folder = await harness.folder();
  const first = await harness.platform({ folder });
  const client = await harness.client(first.grpcAddress);
  const fromMs = Date.now() - 1000;
  await expect(harness.platform({ folder })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(/process/),
  });
  client.count('app.requests', 3);
  client.flush();
  await client.settled();
  const { series } = await first.queryComplete('sum:app.requests{*}.rollup(sum, 60)', fromMs, Date.now());
  expect(series[0].values).toEqual([3]);

  // A killed process has no lock.
  await first.kill9();
  const next = await harness.platform({ folder });
  expect(await next.metrics()).toEqual(['app.requests']);
});
