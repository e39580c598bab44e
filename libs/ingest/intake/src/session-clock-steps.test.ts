import { describe, expect, test } from '@jest/globals';
import { BatchResult_Outcome } from '@tidemark/contract';
import { KIND } from '@tidemark/model';
import { BenchClient, IntakeBench, metricIn, shareOf, TENANT } from './intake-bench.fixture.ts';
import { RequestIntake } from './request-intake.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** A session in use, right before the clock of its machine and of the log is set, or the machine is suspended. */
async function inUse() {
  const bench = await IntakeBench.open();
  const session = await bench.session();
  await bench.until(() => session.isReady);
  const client = new BenchClient(bench, session);
  await client.hello();
  await client.define(0, 0, [{ metric: metricIn(0), kind: KIND.count, tags: [] }]);
  return { bench, session, client };
}

describe.each([
  ['suspended for two hours', -2 * HOUR_MS],
  ['set back by eight days', 8 * DAY_MS],
])('a machine that was %s', (_, sessionAheadMs) => {
  test('has no batch refused permanently, although no append has shown yet that the session is wrong', async () => {
    const { bench, session, client } = await inUse();
    bench.skewMs = sessionAheadMs;
    const rightMs = Math.floor(bench.clock.wallMs());
    const batch = await client.batch([{ partition: 0, points: shareOf([0, rightMs, 1]) }], { stampedMs: rightMs });
    expect(client.answer(batch)).toMatchObject({ outcome: BatchResult_Outcome.RETRY });
    expect(session.isClockOff).toBe(false);
    await bench.until(() => session.isClockOff);
    const again = await client.batch([{ partition: 0, points: shareOf([0, rightMs, 1]) }], { stampedMs: rightMs });
    expect(client.answer(again)).toMatchObject({ outcome: BatchResult_Outcome.RETRY });
    expect(session.statusFor(TENANT).rejectedPoints).toEqual({});
  });

  test('has no request refused permanently', async () => {
    const { bench, session } = await inUse();
    const intake = new RequestIntake({ session: () => session, clock: bench.clock, random: bench.world.random });
    bench.skewMs = sessionAheadMs;
    expect(() => intake.open(TENANT)).toThrow(expect.objectContaining({ code: 'unavailable' }));
  });
});

test('a step of one machine alone stops its session only until the next append shows that the session is right', async () => {
  const { bench, session } = await inUse();
  // The session and the log are apart from this machine's wall clock now.
  bench.skewMs = HOUR_MS;
  bench.logClock.jump(HOUR_MS);
  expect(session.isAccepting).toBe(false);
  await bench.until(() => session.isAccepting, 2000);
  expect(session.isClockOff).toBe(false);
});
