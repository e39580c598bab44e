import { expect, test } from '@jest/globals';
import { IntakeBench, PARTITIONS } from './intake-bench.fixture.ts';

/** Newest mark in the log, ms: a watermark may be as far. */
async function newestMark(bench: IntakeBench): Promise<number> {
  let newestMs = Number.NEGATIVE_INFINITY;
  for (let partition = 0; partition < PARTITIONS; partition++) {
    for (const { markMs } of await bench.points(partition)) newestMs = Math.max(newestMs, markMs);
  }
  return newestMs;
}

test('marks stop 2 s after the last renewal, and continue with the next', async () => {
  const bench = await IntakeBench.open();
  const session = await bench.session();
  await bench.until(() => session.isReady);
  bench.unreachable.add('control');
  const fromMs = bench.acceptClock.nowMs();
  await bench.advance(6000);
  expect((await newestMark(bench)) - fromMs).toBeLessThanOrEqual(2000);
  expect((await newestMark(bench)) - fromMs).toBeGreaterThan(500);
  bench.unreachable.clear();
  await bench.advance(3000);
  expect((await newestMark(bench)) - fromMs).toBeGreaterThan(6000);
});

test.each([500, 1500, 2500, 4000, 7000, 9900])(
  'no lane accepts below a watermark after all clocks stepped back by %i ms while control took no records',
  async (stepMs) => {
    const bench = await IntakeBench.open();
    const first = await bench.session();
    await bench.until(() => first.isReady);
    bench.unreachable.add('control');
    await bench.advance(5000);
    const before = await newestMark(bench);
    bench.logClock.jump(-stepMs);
    bench.unreachable.clear();
    // The clock of a new session follows the correction, the first one's does not.
    const acceptClock = { nowMs: () => Math.floor(bench.clock.wallMs()) - stepMs };
    const second = await bench.session({ acceptClock });
    await bench.until(() => second.isReady);
    expect(acceptClock.nowMs()).toBeGreaterThanOrEqual(before);
  },
);

test('a session next to one that renews accepts 2 to 3 s after it has registered', async () => {
  const bench = await IntakeBench.open();
  const first = await bench.session();
  await bench.until(() => first.isReady);
  await bench.advance(2345);
  const startMs = bench.clock.monotonicMs();
  const second = await bench.session();
  await bench.until(() => second.isReady);
  expect(bench.clock.monotonicMs() - startMs).toBeLessThanOrEqual(3100);
});
