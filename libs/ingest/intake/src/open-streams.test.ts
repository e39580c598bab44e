import { expect, test } from '@jest/globals';
import { DEFAULT_POINT_LIMITS, KIND } from '@tidemark/model';
import { IntakeBench, type ListedPoint, metricIn, shareOf, TENANT } from './intake-bench.fixture.ts';
import { DEFAULT_INTAKE_LIMITS } from './intake-limits.ts';
import { openStream } from './open-streams.ts';
import { STEP_POINTS } from './request-limits.ts';

test('the streams of a session are bounded, and the place of a closed one is reused', async () => {
  const bench = await IntakeBench.open();
  const limits = { ...DEFAULT_INTAKE_LIMITS, ...DEFAULT_POINT_LIMITS, streams: 2 };
  const session = await bench.session({ limits });
  const open = (tenant: string) => openStream(session, tenant, () => undefined);
  const first = open('a');
  open('b');
  expect(() => open('c')).toThrow(
    expect.objectContaining({
      code: 'resource_exhausted',
      message: expect.stringMatching(/has 2 streams open \(limit: intake\.streams, 2\); connect to another/),
      detail: { reason: 'streams', field: 'stream', limit: '2 streams' },
    }),
  );
  first.close();
  first.close();
  expect([session.openStreams, session.statusFor('a').streams]).toEqual([1, 0]);
  open('c');
  expect(session.statusFor('c').streams).toBe(1);
  expect(() => open('d')).toThrow('has 2 streams open');
  await bench.play(session.close());
});

/** A stream that has said hello, and how often it has let other work have its turn. */
async function greeted() {
  const bench = await IntakeBench.open();
  const session = await bench.session({ limits: { ...DEFAULT_INTAKE_LIMITS, ...DEFAULT_POINT_LIMITS } });
  let turns = 0;
  const stream = openStream(
    session,
    TENANT,
    () => undefined,
    async () => void turns++,
  );
  const receive = (message: Parameters<typeof stream.receive>[0]['message']) => bench.play(stream.receive({ message }));
  await receive({ $case: 'hello', value: { clientSession: Buffer.alloc(16, 3), clientName: 'many' } });
  return { bench, session, stream, receive, turns: () => turns };
}

test('other work has its turn while many definitions are read', async () => {
  const { bench, session, stream, receive, turns } = await greeted();
  const series = Array.from({ length: 1200 }, (_, i) => ({ metric: metricIn(0), kind: KIND.gauge, tags: [`n:${i}`] }));
  const definitions = { mapEpoch: 1, partition: 0, firstRef: 0, series };
  await receive({ $case: 'definitions', value: definitions });
  expect(turns()).toBe(2);
  expect([...stream.dictionaries].map(({ size }) => size)).toEqual([1200]);
  await bench.play(session.close());
});

test('other work has its turn between the shares of a batch, each of which is small', async () => {
  const { bench, session, receive, turns } = await greeted();
  for (const partition of [0, 1]) {
    const series = [{ metric: metricIn(partition), kind: KIND.gauge, tags: [] }];
    await receive({ $case: 'definitions', value: { mapEpoch: 1, partition, firstRef: 0, series } });
  }
  const nowMs = bench.acceptClock.nowMs();
  const batch = (sequence: number, points: number) => {
    // A wrong point, so that all are read.
    const list = Array.from({ length: points }, (_, i): ListedPoint => [0, nowMs - i, i === 0 ? Number.NaN : i]);
    const shares = [0, 1].map((partition) => ({ partition, points: shareOf(...list.toReversed()) }));
    return receive({ $case: 'batch', value: { sequence, mapEpoch: 1, floor: 0, stampedMs: nowMs, shares } });
  };
  await batch(0, 100);
  expect(turns()).toBe(0);
  await batch(1, STEP_POINTS);
  expect(turns()).toBe(1);
  await bench.play(session.close());
});
