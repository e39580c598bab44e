import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { askDoctor } from './process/ask-doctor.ts';
import { eventually } from './process/eventually.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

const METRIC = 'flow.kept';

/** A request that can't be stored is answered long before a lane gives up (15 s). */
const ANSWER_MS = 10_000;

/** Sends a count of 1; returns the status of the answer. */
async function post(platform: PlatformUnderTest): Promise<number> {
  const series = [{ metric: METRIC, type: 1, points: [{ timestamp: Date.now() / 1000, value: 1 }] }];
  const reply = await fetch(`${platform.httpUrl}/api/v2/series`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ series }),
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  await reply.text();
  return reply.status;
}

async function refusesAll(platform: PlatformUnderTest, folder: string): Promise<void> {
  for (let i = 0; i < 3; i++) expect(await post(platform)).toBe(503);
  const problem = await eventually('the problem to be reported', async () => {
    const { problems } = await platform.health();
    return problems.find(({ kind, part }) => kind === 'disk' && part === folder);
  });
  expect(problem.reason).toBe(
    `${folder} was moved or deleted while this process uses it: move the original back, or stop the process first`,
  );
  const { findings } = await askDoctor('--address', platform.grpcAddress);
  expect(findings.some(({ severity, what }) => severity === 'broken' && what.includes('was moved or deleted'))).toBe(
    true,
  );
  // Nothing made another folder of that name.
  expect(await readdir(dirname(folder))).not.toContain(basename(folder));
}

test('points are refused while the data folder is elsewhere, and accepted when it is back', async () => {
  const folder = `${await harness.folder()}/data`;
  const platform = await harness.platform({ folder });
  const fromMs = Math.floor(Date.now() / 1000) * 1000;
  expect(await post(platform)).toBe(202);
  await rename(folder, `${folder}.away`);
  await refusesAll(platform, folder);
  await rename(`${folder}.away`, folder);
  await eventually('points to be accepted again', async () => (await post(platform)) === 202);
  const { series } = await platform.queryComplete(`sum:${METRIC}{*}.rollup(sum, 60)`, fromMs, Date.now());
  const total = series.flatMap(({ values }) => values).reduce((a, b) => a + b, 0);
  // What was refused may have been stored: its senders repeat it, and this one has no key.
  expect(total).toBeGreaterThanOrEqual(2);
  await platform.stop();
});

test('points are refused after the data folder was deleted', async () => {
  const folder = `${await harness.folder()}/data`;
  const platform = await harness.platform({ folder });
  expect(await post(platform)).toBe(202);
  await rm(folder, { recursive: true });
  await refusesAll(platform, folder);
});
