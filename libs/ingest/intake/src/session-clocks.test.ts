import { describe, expect, test } from '@jest/globals';
import { BatchResult_Outcome } from '@tidemark/contract';
import { DEFAULT_POINT_LIMITS, KIND } from '@tidemark/model';
import { RECORD } from '@tidemark/point-records';
import { BenchClient, IntakeBench, metricIn, shareOf, TENANT } from './intake-bench.fixture.ts';
import { DEFAULT_INTAKE_LIMITS } from './intake-limits.ts';
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

test('a stream ends when it is as old as points are kept, because names of series may be forgotten by then', async () => {
  const bench = await IntakeBench.open();
  const limits = { ...DEFAULT_INTAKE_LIMITS, ...DEFAULT_POINT_LIMITS, keptMs: 36 * HOUR_MS };
  const session = await bench.session({ limits });
  await bench.until(() => session.isReady);
  const client = new BenchClient(bench, session);
  await client.hello();
  const define = (ref: number) =>
    client.define(0, ref, [{ metric: metricIn(0), kind: KIND.count, tags: [`ref:${ref}`] }]);
  bench.skewMs = 36 * HOUR_MS - 1000;
  await define(0);
  bench.skewMs = 36 * HOUR_MS + 1000;
  await expect(define(1)).rejects.toMatchObject({ code: 'unavailable', detail: { reason: 'stream_age' } });
});

describe('a clock that is off', () => {
  test.each([-5000, 5000])('a session opens no lane while its clock is off by %i ms', async (skewMs) => {
    const bench = await IntakeBench.open();
    bench.skewMs = skewMs;
    const session = await bench.session();
    await bench.advance(5000);
    expect(session.problem).toMatch(/the clock is off/);
    expect(await bench.points(0)).toEqual([]);
  });

  test.each([
    [2500, false],
    [0, true],
  ])(
    'a session that is ahead by %i ms opens no lane until an append is quick enough to decide',
    async (skewMs, opens) => {
      const bench = await IntakeBench.open();
      bench.skewMs = skewMs;
      bench.slowMs = 3000;
      const session = await bench.session();
      await bench.advance(20_000);
      expect(session.problem).toMatch(/the clock is not checked yet/);
      expect(await bench.points(0)).toEqual([]);
      bench.slowMs = 0;
      await bench.advance(10_000);
      expect(session.isReady).toBe(opens);
      expect(session.isClockOff).toBe(!opens);
      expect((await bench.points(0)).length > 0).toBe(opens);
    },
  );

  test('a session closes its lanes, which would delay completeness, and opens others once the clock is right', async () => {
    const { bench, session } = await inUse();
    bench.skewMs = 3000;
    await bench.until(() => session.isClockOff);
    await bench.advance(1000);
    expect((await bench.points(0)).at(-1)?.type).toBe(RECORD.close);
    expect(session.isReady).toBe(false);
    bench.skewMs = 500;
    // The session clock never goes back, and time has passed meanwhile.
    await bench.until(() => session.isReady);
    expect((await bench.points(0)).map(({ type }) => type)).toContain(RECORD.open);
    await bench.play(session.close());
    expect((await bench.control()).at(-1)?.$case).toBe('ended');
  });

  test('the clock of one broker that is off does not make the session open and close lanes without end', async () => {
    const { bench, session } = await inUse();
    const opened = async () => (await bench.points(0)).filter(({ type }) => type === RECORD.open).length;
    const before = await opened();
    bench.brokerAheadMs.set('points/1', 5000);
    await bench.advance(120_000);
    expect((await opened()) - before).toBeGreaterThan(0);
    expect((await opened()) - before).toBeLessThan(20);
    bench.brokerAheadMs.clear();
    await bench.until(() => session.isReady);
    const after = await opened();
    await bench.advance(60_000);
    expect([await opened(), session.isReady]).toEqual([after, true]);
  });
});
