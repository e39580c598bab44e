import { afterEach, expect, test } from '@jest/globals';
import type { Client } from '@tidemark/client';
import { eventually } from './process/eventually.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

const LIMIT = 20;
const METRIC = 'app.users';

/** Sends one point of each series, and waits for the answer. */
async function send(client: Client, ids: readonly string[], metric = METRIC): Promise<void> {
  for (const id of ids) client.count(metric, 1, [`id:${id}`]);
  client.flush();
  await client.settled();
}

function refused(client: Client): number {
  return client.stats().reasons.series_over_budget ?? 0;
}

test('a metric over its budget accepts no new series, and its known series continue', async () => {
  const folder = await harness.folder();
  const platform = await harness.platform({ folder, metricSeries: LIMIT });
  const { grpcPort } = platform;
  const client = await harness.client(platform.grpcAddress);
  const fromMs = Date.now() - 1000;
  const known = Array.from({ length: LIMIT }, (_, i) => `known${i}`);
  await send(client, known);

  // The verdict follows the count with a delay. Series that arrive before it are accepted.
  let tried = 0;
  await eventually('a new series to be refused', async () => {
    await send(client, [`new${tried++}`]);
    return refused(client) > 0;
  });
  expect(client.stats().rejectedPoints).toBe(refused(client));
  await send(client, known);
  await send(client, ['one', 'two'], 'app.orders');
  expect(client.stats()).toMatchObject({ rejectedPoints: 1, ackedPoints: 2 * LIMIT + (tried - 1) + 2 });

  const { sessions } = await platform.status();
  expect(sessions[0].rejectedPoints).toEqual({ series_over_budget: 1 });
  const query = `sum:${METRIC}{*}.rollup(sum, 60)`;
  const { series } = await platform.queryComplete(query, fromMs, Date.now());
  expect(series.flatMap(({ values }) => values).reduce((a, b) => a + b, 0)).toBe(2 * LIMIT + tried - 1);
  expect(await platform.tags(METRIC)).not.toContain(`id:new${tried - 1}`);

  // The verdict survives a restart, and a client that redefines its series keeps the known ones.
  await platform.kill9();
  const second = await harness.platform({ folder, metricSeries: LIMIT, grpcPort });
  const other = await harness.client(second.grpcAddress);
  await send(other, [...known, 'newest']);
  expect(other.stats()).toMatchObject({ ackedPoints: LIMIT, rejectedPoints: 1 });
});
