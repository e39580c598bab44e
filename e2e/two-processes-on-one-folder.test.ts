import { afterEach, expect, test } from '@jest/globals';
import { TestBed } from './process/test-bed.ts';

const bed = new TestBed();
afterEach(() => bed.clear());

test('a second process on a data folder is refused, and the first goes on', async () => {
  const folder = await bed.folder();
  const first = await bed.platform({ folder });
  const client = await bed.client(first.grpcAddress);
  const fromMs = Date.now() - 1000;
  await expect(bed.platform({ folder })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(/process/),
  });
  client.count('app.requests', 3);
  client.flush();
  await client.settled();
  const { series } = await first.queryComplete('sum:app.requests{*}.rollup(sum, 60)', fromMs, Date.now());
  expect(series[0].values).toEqual([3]);

  // A process that was killed holds nothing.
  await first.kill9();
  const next = await bed.platform({ folder });
  expect(await next.metrics()).toEqual(['app.requests']);
});
