import { afterEach, expect, jest, test } from '@jest/globals';
import { SPACE_FOLD } from '@tidemark/fold';
import { LogBuilder, seriesIdOf } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { type Slicing, TidemarkError } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PageCodec, PointPartition } from '../index.ts';
import { requestOf } from '../testing/aggregates.ts';
import { PairFolder } from './pair-folder.ts';

const START_MS = 1_700_000_000_000;
const SERIES = Array.from({ length: 600 }, (_, i) => 4 * i);

afterEach(() => {
  jest.restoreAllMocks();
});

/** A partition whose series have a point each 10 s, all at the same times. */
async function partitionOf(rounds: number, codec: PageCodec, slicing?: Slicing): Promise<PointPartition> {
  const partition = await PointPartition.open({
    ...{ partition: 0, keyValue: new MemoryKeyValue(), latenessMs: () => 3000, codec, slicing },
    limits: DEFAULT_POINT_STORE_LIMITS,
  });
  const builder = new LogBuilder();
  partition.apply(builder.bare(RECORD.open, 0, START_MS));
  for (let round = 0; round < rounds; round++) {
    const points = SERIES.map((series) => ({ series, timeMs: START_MS + round * 10_000, value: round }));
    partition.apply(builder.block(0, START_MS, [{ client: 0, sequence: round, points }]));
  }
  await partition.commit();
  return partition;
}

const request = requestOf(SERIES, { fromMs: START_MS, toMs: START_MS + 400_000, stepMs: 10_000 }, 'avg', {
  spaceFold: SPACE_FOLD.sum,
  groups: [{ digest: Buffer.alloc(0), series: Buffer.concat(SERIES.map(seriesIdOf)) }],
});

test('a query that is cancelled while it folds leaves nothing in the codec', async () => {
  const codec = new PageCodec();
  const stop = new AbortController();
  const fold = jest.spyOn(PairFolder.prototype, 'fold');
  const leave = jest.spyOn(PairFolder.prototype, 'leave');
  const partition = await partitionOf(50, codec, {
    clock: { monotonicMs: () => 0 },
    ...{ sliceMs: 0, costPerCheck: 64 },
    yieldTurn: async () => {
      if (fold.mock.results.length > 20) stop.abort(new TidemarkError('deadline_exceeded', 'the query took 5 s'));
    },
  });
  await expect(partition.aggregate(request, stop.signal)).rejects.toMatchObject({ code: 'deadline_exceeded' });
  expect(fold.mock.results.length).toBeLessThan(SERIES.length / 2);
  // No fold is there that had to leave.
  codec.occupy({ leave: () => undefined });
  expect(leave).not.toHaveBeenCalled();
});

test('a query that reads more context leaves nothing of its first attempt in the codec', async () => {
  const fold = jest.spyOn(PairFolder.prototype, 'fold');
  const foldOwn = jest.spyOn(PairFolder.prototype, 'foldOwn');
  const leave = jest.spyOn(PairFolder.prototype, 'leave');
  const partition = await PointPartition.open({
    ...{ partition: 0, keyValue: new MemoryKeyValue(), latenessMs: () => 3000, codec: new PageCodec() },
    limits: { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 100_000, bucketMs: 100_000 },
  });
  const builder = new LogBuilder();
  partition.apply(builder.bare(RECORD.open, 0, START_MS));
  let sequence = 0;
  const add = (series: readonly number[], timeMs: number) => {
    const points = series.map((one) => ({ series: one, timeMs, value: 1 }));
    partition.apply(builder.block(0, START_MS, [{ client: 0, sequence: sequence++, points }]));
  };
  const last = 4 * SERIES.length;
  // Many points of one time take the place of the context that is in the bucket before.
  add([...SERIES, last], START_MS + 10_000);
  add([...SERIES, last], START_MS + 160_000);
  // Each in a page of its own.
  for (let i = 0; i < 100; i++) {
    add([last], START_MS + 160_000);
    await partition.commit();
  }
  add([...SERIES, last], START_MS + 210_000);
  await partition.commit();
  const own = { groups: [{ digest: Buffer.alloc(0), series: Buffer.concat([...SERIES, last].map(seriesIdOf)) }] };
  const reply = await partition.aggregate({ ...request, ...own, fromMs: START_MS + 200_000 });
  expect(reply.groups).toHaveLength(1);
  // In pairs, and the last one, twice.
  expect(fold.mock.calls.length + foldOwn.mock.calls.length).toBe(SERIES.length + 2);
  expect(leave).not.toHaveBeenCalled();
});

test('what enough series share is made for the first of them, and what few share for none', async () => {
  const foldOwn = jest.spyOn(PairFolder.prototype, 'foldOwn');
  const partition = await partitionOf(50, new PageCodec());
  const foldsOf = async (series: readonly number[]) => {
    foldOwn.mockClear();
    const groups = [{ digest: Buffer.alloc(0), series: Buffer.concat(series.map(seriesIdOf)) }];
    const { seriesRead, seriesAlone } = await partition.aggregate({ ...request, groups });
    expect([seriesRead, seriesAlone]).toEqual([series.length, 0]);
    return foldOwn.mock.calls.length;
  };
  expect(await foldsOf(SERIES)).toBe(0);
  expect(await foldsOf(SERIES.slice(0, 4))).toBe(2);
});

test('a series of very many points, which would be folded in one piece, is folded in slices', async () => {
  const aloneOf = async (length: number) => {
    const partition = await PointPartition.open({
      ...{ partition: 0, keyValue: new MemoryKeyValue(), latenessMs: () => 3000 },
      limits: DEFAULT_POINT_STORE_LIMITS,
    });
    const builder = new LogBuilder();
    partition.apply(builder.bare(RECORD.open, 0, START_MS));
    const points = Array.from({ length }, (_, i) => ({ series: 0, timeMs: START_MS + i, value: i }));
    partition.apply(builder.block(0, START_MS, [{ client: 0, sequence: 0, points }]));
    const range = { fromMs: START_MS, toMs: START_MS + 100_000, stepMs: 10_000 };
    const { pointsRead, seriesAlone } = await partition.aggregate(requestOf([0], range, 'sum'));
    expect(pointsRead).toBe(length);
    return seriesAlone;
  };
  expect(await aloneOf(65_536)).toBe(0);
  expect(await aloneOf(65_537)).toBe(1);
});
