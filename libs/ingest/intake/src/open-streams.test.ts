import { expect, test } from '@jest/globals';
import { DEFAULT_POINT_LIMITS, KIND } from '@tidemark/model';
import { IntakeBench, metricIn, TENANT } from './intake-bench.fixture.ts';
import { DEFAULT_INTAKE_LIMITS } from './intake-limits.ts';
import { openStream } from './open-streams.ts';

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
      message: '2 streams are open (limit: 2 streams)',
      detail: { reason: 'streams', field: 'stream', limit: '2 streams' },
    }),
  );
  first.close();
  first.close();
  expect([session.openStreams, session.statusFor('a').streams]).toEqual([1, 0]);
  open('c');
  expect(session.statusFor('c').streams).toBe(1);
  expect(() => open('d')).toThrow('2 streams are open');
  await bench.play(session.close());
});

test('other work has its turn while many definitions are read', async () => {
  const bench = await IntakeBench.open();
  const session = await bench.session({ limits: { ...DEFAULT_INTAKE_LIMITS, ...DEFAULT_POINT_LIMITS } });
  let turns = 0;
  const stream = openStream(
    session,
    TENANT,
    () => undefined,
    async () => void turns++,
  );
  const value = { clientSession: Buffer.alloc(16, 3), clientName: 'many' };
  await bench.play(stream.receive({ message: { $case: 'hello', value } }));
  const series = Array.from({ length: 1200 }, (_, i) => ({ metric: metricIn(0), kind: KIND.gauge, tags: [`n:${i}`] }));
  const definitions = { mapEpoch: 1, partition: 0, firstRef: 0, series };
  await bench.play(stream.receive({ message: { $case: 'definitions', value: definitions } }));
  expect(turns).toBe(2);
  expect([...stream.dictionaries].map(({ size }) => size)).toEqual([1200]);
  await bench.play(session.close());
});
