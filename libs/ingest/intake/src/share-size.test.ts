import { expect, test } from '@jest/globals';
import { BatchResult_Outcome } from '@tidemark/contract';
import { BenchClient, IntakeBench, type ListedPoint, metricIn, shareOf, TENANT } from './intake-bench.fixture.ts';
import { DEFAULT_LANE_TIMING } from './intake-limits.ts';
import type { IntakeSession } from './intake-session.ts';
import { RequestIntake } from './request-intake.ts';

async function started(recordBytes = DEFAULT_LANE_TIMING.recordBytes) {
  const bench = await IntakeBench.open();
  const ended: number[] = [];
  const session = await bench.session({
    timing: { ...DEFAULT_LANE_TIMING, recordBytes },
    onLaneEnded: (partition) => ended.push(partition),
  });
  await bench.until(() => session.isReady);
  return { bench, session, ended };
}

async function connected(bench: IntakeBench, session: IntakeSession): Promise<BenchClient> {
  const client = new BenchClient(bench, session);
  await client.hello();
  for (const partition of [0, 1])
    await client.define(partition, 0, [{ metric: metricIn(partition), kind: 1, tags: [] }]);
  return client;
}

/** Returns points of one series. Each takes more than 8 bytes. */
function pointsFrom(timeMs: number, count: number): ListedPoint[] {
  return Array.from({ length: count }, (_, i) => [0, timeMs + i, Math.sqrt(i + 2)]);
}

test('a share that fits no record is refused by name of the limit, and the rest of its batch is stored', async () => {
  const { bench, session, ended } = await started(4000);
  const client = await connected(bench, session);
  const nowMs = bench.acceptClock.nowMs();
  const sequence = await client.batch([
    { partition: 0, points: shareOf(...pointsFrom(nowMs, 1000)) },
    { partition: 1, points: shareOf(...pointsFrom(nowMs, 3)) },
  ]);
  const answer = await client.answered(sequence);
  expect([answer.outcome, answer.acceptedPoints]).toEqual([BatchResult_Outcome.ACKED, 3]);
  const limit = `${session.shareBytes} bytes of a share`;
  expect(answer.rejections).toMatchObject([{ reason: 'share_too_large', field: 'share.points', limit, points: 1000 }]);
  expect(ended).toEqual([]);
});

test('a share that the log refuses is sent again once, then refused, and no lane ends', async () => {
  const { bench, session, ended } = await started();
  const client = await connected(bench, session);
  bench.refusedAboveBytes = 4000;
  const nowMs = bench.acceptClock.nowMs();
  const large = { partition: 0, points: shareOf(...pointsFrom(nowMs, 1000)) };
  const first = await client.answered(await client.batch([large]));
  expect([first.outcome, first.rejections[0].reason]).toEqual([BatchResult_Outcome.RETRY, 'share_not_stored']);
  const second = await client.answered(await client.batch([large]));
  expect([second.outcome, second.rejections[0].reason]).toEqual([BatchResult_Outcome.ACKED, 'share_too_large']);
  const small = { partition: 0, points: shareOf(...pointsFrom(nowMs, 3)) };
  expect((await client.answered(await client.batch([small]))).acceptedPoints).toBe(3);
  expect(ended).toEqual([]);
});

test('a lane that replaces a dead one knows what the log refuses', async () => {
  const { bench, session, ended } = await started();
  const client = await connected(bench, session);
  bench.refusedAboveBytes = 4000;
  await client.batch([{ partition: 0, points: shareOf(...pointsFrom(bench.acceptClock.nowMs(), 1000)) }]);
  await bench.advance(1000);
  const { shareBytes } = session;
  expect(shareBytes).toBeLessThan(4000);
  bench.unreachable.add('points/0');
  await bench.advance(17_000);
  bench.unreachable.clear();
  await bench.until(() => session.isReady);
  expect([session.shareBytes, ended]).toEqual([shareBytes, [0]]);
});

test('points of a request are stored in as many batches as the records of the log need', async () => {
  const { bench, session, ended } = await started(4000);
  const intake = new RequestIntake({ session: () => session, clock: bench.clock, random: bench.world.random });
  const request = intake.open(TENANT);
  const handle = request.series({ metric: metricIn(0), kind: 'gauge', tags: [] });
  for (const [, timeMs, value] of pointsFrom(bench.acceptClock.nowMs(), 2000))
    request.point(handle, timeMs, Number(value));
  const result = await bench.play(request.send());
  expect([result.outcome, result.acceptedPoints]).toEqual(['acked', 2000]);
  for (const { value } of await bench.records('points', 0)) expect(value.length).toBeLessThanOrEqual(4000);
  expect(ended).toEqual([]);
});

test('a request with a key that fits no record is refused', async () => {
  const { bench, session, ended } = await started(4000);
  const intake = new RequestIntake({ session: () => session, clock: bench.clock, random: bench.world.random });
  const key = { clientSession: Buffer.alloc(16, 3), sequence: 0, mapEpoch: 1 };
  const request = await bench.play(intake.openKeyed(TENANT, key));
  const handle = request.series({ metric: metricIn(0), kind: 'gauge', tags: [] });
  for (const [, timeMs, value] of pointsFrom(bench.acceptClock.nowMs(), 2000))
    request.point(handle, timeMs, Number(value));
  const { outcome, rejections } = await bench.play(request.send());
  const limit = `${session.shareBytes} bytes of a share`;
  expect([outcome, rejections]).toEqual([
    'refused',
    [expect.objectContaining({ reason: 'request_too_large', limit, points: 2000 })],
  ]);
  expect(ended).toEqual([]);
});

test('many clients whose definitions fit a record alone, but not together, are all stored after a restart', async () => {
  const { bench, session, ended } = await started(4000);
  const series = Array.from({ length: 60 }, (_, i) => ({ metric: metricIn(0), kind: 1 as const, tags: [`n:${i}`] }));
  const clients = Array.from({ length: 30 }, () => new BenchClient(bench, session));
  for (const client of clients) {
    await client.hello();
    await client.define(0, 0, series);
  }
  const timeMs = bench.acceptClock.nowMs();
  const share = { partition: 0, points: shareOf([0, timeMs, 1], [59, timeMs, 1]) };
  const sequences = await Promise.all(clients.map((client) => client.batch([share])));
  for (const [i, client] of clients.entries()) expect((await client.answered(sequences[i])).acceptedPoints).toBe(2);
  const blocks = (await bench.points(0)).filter(({ definitions }) => definitions.length > 0);
  expect(blocks.length).toBeGreaterThan((30 * 60 * 16) / 4000);
  expect(ended).toEqual([]);
});
