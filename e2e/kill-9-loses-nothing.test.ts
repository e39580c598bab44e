import { afterEach, expect, test } from '@jest/globals';
import { below } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { eventually, WITHIN_MS } from './process/eventually.ts';
import { ExpectedCounts } from './process/expected-counts.ts';
import type { PlatformUnderTest } from './process/platform-under-test.ts';
import { TestHarness } from './process/test-harness.ts';

const harness = new TestHarness();
afterEach(() => harness.clear());

/** Replayed with `SEED=n`, as far as the scheduling of three processes can be. */
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const KILLS = 4;
const SERIES = 10;
const LOAD_EVERY_MS = 4;
const LATENESS_MS = 1000;

/** A claim of the platform: the number of points before a time through which it is complete. */
interface Claim {
  readonly throughMs: number;
  readonly points: number;
}

test('a platform that is killed repeatedly under load has every acknowledged point once', async () => {
  console.log(`seed ${SEED}`);
  const random = new SeededRandom(SEED);
  const folder = await harness.folder();
  const settings = {
    folder,
    latenessMs: LATENESS_MS,
    // Several commits, cuts, segments and dictionary epochs within the run.
    points: { commitRows: 1500, commitStepMs: 1000, bucketMs: 2000 },
    log: { segmentBytes: 64 * 1024 },
    timing: { epochMs: 1500 },
  };
  let platform = await harness.platform(settings);
  const { grpcPort } = platform;
  const client = await harness.client(platform.grpcAddress, {
    spoolFolder: await harness.folder(),
    replyTimeoutMs: 2000,
  });
  const expected = new ExpectedCounts('app.requests', SERIES, random);
  const fromMs = Math.floor(Date.now() / 1000) * 1000;
  const claims: Claim[] = [];
  /** The claims of the time before the first kill, and the points that were late until then. */
  let calm = { claims: 0, late: 0 };

  // Points are sent all the time, also while no platform runs: at any moment some batches are in flight.
  const load = setInterval(() => {
    expected.record(client);
    client.flush();
  }, LOAD_EVERY_MS);
  harness.onClear(async () => clearInterval(load));

  for (let kill = 0; kill < KILLS; kill++) {
    const untilMs = performance.now() + 200 + below(random, 600);
    await eventually('the time to kill', async () => {
      await claim(platform, fromMs, claims);
      return performance.now() > untilMs && claims.some(({ points }) => points > 0);
    });
    if (kill === 0) calm = { claims: claims.length, late: await latePoints(platform) };
    // Every second kill follows an acknowledgement at once, when its promise must hold already.
    const { ackedPoints: before } = client.stats();
    await eventually('an acknowledgement', () => kill % 2 === 0 || client.stats().ackedPoints > before, WITHIN_MS, 0);
    const { ackedPoints } = client.stats();
    await platform.kill9();
    platform = await harness.platform({ ...settings, grpcPort });
    await eventually('what was acknowledged to be there', async () => (await storedPoints(platform)) >= ackedPoints);
  }
  clearInterval(load);
  await client.settled();
  expect(client.stats()).toMatchObject({
    ackedPoints: expected.points,
    rejectedPoints: 0,
    refusedPoints: 0,
    droppedPoints: 0,
    indeterminatePoints: 0,
  });

  expect(await expected.differences(platform)).toEqual([]);
  expect(await storedPoints(platform)).toBe(expected.points);

  // A claim may only lack points that are counted as late. Before the first kill there are hardly any.
  const late = await latePoints(platform);
  expect(calm.claims).toBeGreaterThan(0);
  for (const [i, { throughMs, points }] of claims.entries()) {
    const missed = (await pointsBefore(platform, fromMs, throughMs)).points - points;
    expect(missed).toBeGreaterThanOrEqual(0);
    expect(missed).toBeLessThanOrEqual(i < calm.claims ? calm.late : late);
  }
  console.log(`${expected.points} points, ${client.stats().batchesResent} batches sent again, ${late} points late`);
});

/** Records through which time the platform is complete, and the number of points before that time. */
async function claim(platform: PlatformUnderTest, fromMs: number, claims: Claim[]): Promise<void> {
  const { throughMs } = await pointsBefore(platform, fromMs, Date.now());
  const stepMs = Math.floor((throughMs ?? 0) / 1000) * 1000;
  if (stepMs <= fromMs || claims.at(-1)?.throughMs === stepMs) return;
  const { points } = await pointsBefore(platform, fromMs, stepMs);
  claims.push({ throughMs: stepMs, points });
}

async function pointsBefore(platform: PlatformUnderTest, fromMs: number, toMs: number) {
  const query = [0, 1, 2, 3].map((i) => `sum:app.requests.${i}{*}.rollup(count, 1)`).join(', ');
  const { series, completeThroughMs } = await platform.query(query, fromMs, toMs);
  const points = series.reduce((sum, { values }) => sum + values.reduce((a, b) => a + b, 0), 0);
  return { points, throughMs: completeThroughMs };
}

async function latePoints(platform: PlatformUnderTest): Promise<number> {
  const { points } = await platform.status();
  return points.reduce((sum, partition) => sum + partition.latePoints, 0);
}

async function storedPoints(platform: PlatformUnderTest): Promise<number> {
  const { points } = await platform.status();
  return points.reduce((sum, partition) => sum + partition.points, 0);
}
