import { afterEach, describe, expect, test } from '@jest/globals';
import { AggregateRequest, MatchRequest, type SeriesSet } from '@tidemark/contract';
import { SPACE_FOLD, TIME_FOLD } from '@tidemark/fold';
import { hash128, KIND, metricId, seriesId, seriesName } from '@tidemark/model';
import { AssertionError, TidemarkError } from '@tidemark/ports';
import { SimulatedClock } from '@tidemark/simulation';
import type { ReplicaLimits } from './replica-limits.ts';
import { ReplicaStores } from './replica-stores.ts';
import { ModelReplica } from './testing/model-replicas.ts';

const FROM_MS = 1_700_000_000_000;
const WATERMARK_MS = FROM_MS + 60_000;

let stopping: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stopping) await stop();
  stopping = [];
});

/** Replicas a, b, … of one partition at equal positions, with polling started. */
async function setUp(names: string, limits: Partial<ReplicaLimits> = {}) {
  const clock = new SimulatedClock();
  const replicas = [...names].map((name) => {
    const replica = new ModelReplica(name, clock);
    replica.stores.watermarksMs.set(0, WATERMARK_MS);
    replica.stores.tagsOffsets.set(0, 100);
    replica.stores.points = [
      { partition: 0, tenant: 't', metric: 'load', kind: KIND.gauge, tags: ['a:b'], timeMs: FROM_MS, value: 1 },
    ];
    return replica;
  });
  const stores = new ReplicaStores({
    points: replicas.map(({ points }) => points),
    tags: replicas.map(({ tags }) => tags),
    clock,
    limits,
  });
  const start = async () => {
    const started = stores.start();
    stopping.push(() => stores.stop());
    await clock.advance(5);
    await started;
    for (const replica of replicas) replica.asked = 0;
  };
  await start();
  /** Runs until the answer arrives; returns how long that took, ms. */
  const within = async <T>(asked: Promise<T>, deadlineMs = 60_000): Promise<T & { readonly tookMs: number }> => {
    const settled = asked.then(
      () => true,
      () => true,
    );
    let isSettled = false;
    void settled.then(() => {
      isSettled = true;
    });
    const startMs = clock.monotonicMs();
    await clock.run(() => isSettled, deadlineMs);
    return { ...(await asked), tookMs: clock.monotonicMs() - startMs };
  };
  const [a, b, c] = replicas;
  return { clock, stores, replicas, a, b, c, within };
}

function fold(groups: readonly SeriesSet[] = []): AggregateRequest {
  return AggregateRequest.create({
    partition: 0,
    metricId: metricId('t', 'load'),
    ...{ fromMs: FROM_MS, toMs: FROM_MS + 60_000, stepMs: 60_000 },
    ...{ timeFold: TIME_FOLD.sum, spaceFold: SPACE_FOLD.sum },
    groups: [...groups],
    tagsOffset: 100,
    maxPoints: 1000,
  });
}

const MATCH = MatchRequest.create({
  ...{ partition: 0, tenant: 't', metric: 'load', fromMs: FROM_MS, toMs: FROM_MS + 1, maxSeries: 10, maxGroups: 10 },
});

describe('which replica is asked', () => {
  test('the replica with the highest watermark, then the highest offset, is asked', async () => {
    const { clock, stores, a, b, c, within } = await setUp('abc');
    b.stores.watermarksMs.set(0, WATERMARK_MS + 1);
    c.stores.tagsOffsets.set(0, 101);
    await clock.advance(2000);
    expect((await within(stores.pointStore(0).aggregate(fold()))).watermarkMs).toBe(WATERMARK_MS + 1);
    expect((await within(stores.tagStore(0).match(MATCH))).tagsOffset).toBe(101);
    expect([a.asked, b.asked, c.asked]).toEqual([0, 1, 1]);
  });

  test('a halted replica is asked only when no other is reachable, at any position', async () => {
    const { clock, stores, a, b, within } = await setUp('ab');
    a.stores.watermarksMs.set(0, WATERMARK_MS + 50_000);
    a.stores.halted.set('points/0', 'a record that can not be decoded');
    await clock.advance(2000);
    expect((await within(stores.pointStore(0).aggregate(fold()))).watermarkMs).toBe(WATERMARK_MS);
    b.isDown = true;
    await clock.advance(2000);
    expect((await within(stores.pointStore(0).aggregate(fold()))).watermarkMs).toBe(WATERMARK_MS + 50_000);
  });

  test('equal replicas take turns', async () => {
    const { stores, a, b, within } = await setUp('ab');
    for (let i = 0; i < 10; i++) await within(stores.pointStore(0).aggregate(fold()));
    expect([a.asked, b.asked]).toEqual([5, 5]);
  });

  test('a process is asked for the partitions that it reports, and no longer for those that it released', async () => {
    const { clock, stores, a, b, within } = await setUp('ab');
    a.stores.watermarksMs.delete(0);
    a.stores.watermarksMs.set(7, WATERMARK_MS);
    await clock.advance(2000);
    await within(stores.pointStore(7).status({ partition: 7 }));
    for (let i = 0; i < 4; i++) await within(stores.pointStore(0).aggregate(fold()));
    expect([a.asked, b.asked]).toEqual([1, 4]);
    await expect(stores.pointStore(8).aggregate(fold())).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^no known process owns points\/8; check that a store of it runs/),
    });
  });

  test('processes are polled by one call each, no more often than the limit', async () => {
    const { clock, a } = await setUp('ab', { pollsPerSecond: 1 });
    for (let partition = 0; partition < 100; partition++) a.stores.watermarksMs.set(partition, WATERMARK_MS);
    // Four processes (point and tag stores of two names), one poll a second in all.
    const before = a.polls;
    await clock.advance(8000);
    expect(a.polls - before).toBeGreaterThanOrEqual(2);
    expect(a.polls - before).toBeLessThanOrEqual(4);
  });
});

describe('failover', () => {
  test.each(['unavailable', 'deadline_exceeded', 'internal', 'not_found', 'data_loss'] as const)(
    '%s: the next is asked at once',
    async (code) => {
      const { clock, stores, a, b, within } = await setUp('ab');
      a.stores.watermarksMs.set(0, WATERMARK_MS + 1);
      await clock.advance(2000);
      a.stores.failing.set('points/0', new TidemarkError(code, 'broken'));
      const reply = await within(stores.pointStore(0).aggregate(fold()));
      expect([reply.watermarkMs, reply.tookMs, a.asked, b.asked]).toEqual([WATERMARK_MS, 2, 1, 1]);
      expect(stores.counters).toMatchObject({ failovers: 1, hedges: 0 });
    },
  );

  test.each(['invalid_argument', 'resource_exhausted', 'out_of_range', 'unimplemented'] as const)(
    '%s is the answer: any replica would refuse',
    async (code) => {
      const { stores, replicas, within } = await setUp('ab');
      for (const { stores: own } of replicas) own.failing.set('points/0', new TidemarkError(code, 'too much'));
      await expect(within(stores.pointStore(0).aggregate(fold()))).rejects.toMatchObject({ code, message: 'too much' });
      expect(replicas.reduce((sum, { asked }) => sum + asked, 0)).toBe(1);
    },
  );

  test('a request that failed because of a bug is not retried', async () => {
    const { stores, replicas, within } = await setUp('ab');
    for (const replica of replicas) {
      replica.stores.before = () => {
        throw new AssertionError('a mistake');
      };
    }
    await expect(within(stores.pointStore(0).aggregate(fold()))).rejects.toThrow('a mistake');
  });

  test('when no replica can answer, each is named with its error', async () => {
    const { clock, stores, a, b, within } = await setUp('ab');
    a.stores.watermarksMs.set(0, WATERMARK_MS + 1);
    await clock.advance(2000);
    a.isDown = true;
    b.stores.failing.set('points/0', new TidemarkError('data_loss', 'a chunk is damaged'));
    await expect(within(stores.pointStore(0).aggregate(fold()))).rejects.toMatchObject({
      code: 'unavailable',
      message:
        'no replica of points/0 could answer: a: unavailable: connection refused; b: data_loss: a chunk is damaged',
    });
  });

  test('a process that refused a connection is polled at once, and asked again when it has returned', async () => {
    const { clock, stores, a, b, within } = await setUp('ab');
    a.stores.watermarksMs.set(0, WATERMARK_MS + 1);
    await clock.advance(1500);
    a.isDown = true;
    await within(stores.pointStore(0).aggregate(fold()));
    await clock.advance(1);
    await within(stores.pointStore(0).aggregate(fold()));
    expect([a.asked, b.asked]).toEqual([1, 2]);
    a.isDown = false;
    await clock.advance(1100);
    expect((await within(stores.pointStore(0).aggregate(fold()))).watermarkMs).toBe(WATERMARK_MS + 1);
  });

  test('a request to a process that freezes fails over as soon as the process is lost, without a hedge', async () => {
    const { clock, stores, a, within } = await setUp('ab', { hedgeBurst: 0 });
    a.stores.watermarksMs.set(0, WATERMARK_MS + 1);
    await clock.advance(2000);
    a.isFrozen = true;
    const reply = await within(stores.pointStore(0).aggregate(fold()));
    expect(reply.watermarkMs).toBe(WATERMARK_MS);
    // At most a poll interval and the timeout of a poll.
    expect(reply.tookMs).toBeLessThanOrEqual(3010);
    expect(stores.counters).toMatchObject({ failovers: 1, hedges: 0 });
    // Later requests are not delayed.
    expect((await within(stores.pointStore(0).aggregate(fold()))).tookMs).toBe(1);
  });

  test('a frozen replica without others makes its part unavailable, and the query does not hang', async () => {
    const { clock, stores, a, within } = await setUp('a');
    a.isFrozen = true;
    await clock.advance(4000);
    await expect(within(stores.pointStore(0).aggregate(fold()), 3100)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /points\/0 could answer: a: deadline_exceeded: no answer after 3000 ms from a lost process/,
      ),
    });
  });

  test('the late answer of a lost replica is used', async () => {
    const { clock, stores, a, within } = await setUp('a');
    a.delayMs = (request) => (request === 'positions' ? 10_000 : 2000);
    await clock.advance(4000);
    await expect(within(stores.pointStore(0).aggregate(fold()))).resolves.toMatchObject({ tookMs: 2000 });
  });
});

describe('hedging', () => {
  test('a slow request is hedged to the next replica, and the slower one is cancelled', async () => {
    const { clock, stores, a, b, within } = await setUp('ab', { hedgeFloorMs: 20, hedgeCeilingMs: 100 });
    a.stores.watermarksMs.set(0, WATERMARK_MS + 1);
    await clock.advance(2000);
    // Without a history the ceiling applies.
    a.delayMs = (request) => (request === 'positions' ? 1 : 500);
    expect((await within(stores.pointStore(0).aggregate(fold()))).tookMs).toBe(101);
    await clock.advance(1);
    expect([a.asked, a.cancelled, b.asked]).toEqual([1, 1, 1]);
    expect(stores.counters).toMatchObject({ hedges: 1, hedgesWon: 1, failovers: 0 });
    // With a history the usual latency applies, here below the floor.
    a.delayMs = () => 2;
    for (let i = 0; i < 150; i++) await within(stores.pointStore(0).aggregate(fold()));
    a.delayMs = (request) => (request === 'positions' ? 1 : 500);
    expect((await within(stores.pointStore(0).aggregate(fold()))).tookMs).toBe(21);
  });

  test('hedges are a bounded share of the requests, so a slow cluster does not get twice the load', async () => {
    const { stores, replicas, within } = await setUp('ab', {
      ...{ hedgeFloorMs: 20, hedgeCeilingMs: 100, hedgeShare: 0.1, hedgeBurst: 4 },
    });
    for (const replica of replicas) replica.delayMs = (request) => (request === 'positions' ? 1 : 300);
    for (let i = 0; i < 100; i++) await within(stores.pointStore(0).aggregate(fold()));
    expect(replicas.reduce((sum, { asked }) => sum + asked, 0)).toBeLessThanOrEqual(100 + 4 + 10);
    expect(stores.counters.hedges).toBeGreaterThanOrEqual(10);
    expect(stores.counters.hedgesRefused).toBeGreaterThan(50);
  });

  test('a slow request is not hedged to a replica that is far behind', async () => {
    const { clock, stores, a, b, within } = await setUp('ab', { hedgeCeilingMs: 100 });
    b.stores.watermarksMs.set(0, WATERMARK_MS - 60_000);
    b.stores.tagsOffsets.set(0, 10);
    await clock.advance(2000);
    a.delayMs = (request) => (request === 'positions' ? 1 : 700);
    expect((await within(stores.pointStore(0).aggregate(fold()))).watermarkMs).toBe(WATERMARK_MS);
    expect((await within(stores.tagStore(0).match(MATCH))).tagsOffset).toBe(100);
    expect([a.asked, b.asked]).toEqual([2, 0]);
  });

  test('a cancelled request cancels every attempt', async () => {
    const { clock, stores, a, b } = await setUp('ab', { hedgeCeilingMs: 100 });
    for (const replica of [a, b]) replica.delayMs = (request) => (request === 'positions' ? 1 : 900);
    const abort = new AbortController();
    const asked = expect(stores.pointStore(0).aggregate(fold(), abort.signal)).rejects.toMatchObject({
      code: 'cancelled',
    });
    await clock.advance(200);
    abort.abort(new TidemarkError('cancelled', 'no caller waits'));
    await asked;
    await clock.advance(1);
    expect([a.cancelled, b.cancelled]).toEqual([1, 1]);
  });
});

describe('series sets', () => {
  test('series sets are named by what each replica knows, and sent again to a replica that has evicted them', async () => {
    const { clock, stores, a, b, within } = await setUp('ab');
    const series = seriesId(seriesName('t', 'load', KIND.gauge, ['a:b']));
    const set = { digest: hash128(series), series };
    const prefer = async (first: ModelReplica) => {
      for (const each of [a, b]) each.stores.watermarksMs.set(0, WATERMARK_MS + (each === first ? 1 : 0));
      await clock.advance(1500);
    };
    const sizes = ({ stores: own }: ModelReplica) => own.requests.filter((r) => r.startsWith('points/0'));
    await prefer(a);
    for (let i = 0; i < 2; i++) await within(stores.pointStore(0).aggregate(fold([set])));
    expect(sizes(a)).toEqual(['points/0 1', 'points/0 0']);
    await prefer(b);
    for (let i = 0; i < 2; i++) await within(stores.pointStore(0).aggregate(fold([set])));
    expect(sizes(b)).toEqual(['points/0 1', 'points/0 0']);
    a.stores.forgetSets();
    await prefer(a);
    const reply = await within(stores.pointStore(0).aggregate(fold([set])));
    expect(reply.groups).toHaveLength(1);
    expect(sizes(a).slice(2)).toEqual(['points/0 0', 'points/0 1']);
    expect(sizes(b)).toHaveLength(2);
    expect(stores.counters).toMatchObject({ failovers: 0, hedges: 0 });
  });
});
