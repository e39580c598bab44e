import { describe, expect, test } from '@jest/globals';
import { SERIES_CLASS } from '@tidemark/model';
import { classOf, LogBuilder, type TestPoint } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { type Slicing, TidemarkError } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '../index.ts';
import { requestOf, valuesOf } from '../testing/aggregates.ts';

const START_MS = 1_700_000_000_000;
const POINTS = 30_000;
const SKETCHES = 3_000;
/** One series of each class. */
const [READING, COUNT, DISTRIBUTION] = [SERIES_CLASS.reading, SERIES_CLASS.count, SERIES_CLASS.distribution].map(
  (wanted) => [0, 1, 2, 3, 4, 5].find((series) => classOf(series) === wanted) ?? -1,
);
const RANGE = { fromMs: START_MS, toMs: START_MS + POINTS * 10, stepMs: 1000 };

/** Each check of the clock ends a slice. */
function slicing(turn: () => void = () => undefined): Slicing & { turns: number } {
  let nowMs = 0;
  const sliced = {
    turns: 0,
    clock: { monotonicMs: () => (nowMs += 100) },
    yieldTurn: async () => {
      sliced.turns++;
      turn();
    },
  };
  return sliced;
}

/** The points of a series from `first` on, every second one of `count`, 10 ms apart: two of these interleave. */
function half(series: number, first: number, count: number): TestPoint[] {
  const length = Math.floor(count / 2);
  return Array.from({ length }, (_, i) => {
    const timeMs = START_MS + (first + 2 * i) * 10;
    return { series, timeMs, value: (first + 2 * i) % 100 };
  });
}

async function filled(own: Slicing | undefined): Promise<PointPartition> {
  const limits = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 1_000_000, bucketMs: 10_000_000 };
  const options = { partition: 0, keyValue: new MemoryKeyValue(), limits, latenessMs: () => 3_000 };
  const partition = await PointPartition.open({ ...options, slicing: own });
  const builder = new LogBuilder();
  partition.apply(builder.bare(RECORD.open, 0, START_MS));
  // The second half lies between the points of the first one, so that all have to be sorted.
  for (const [sequence, first] of [0, 1].entries()) {
    const points = [
      ...half(READING, first, POINTS),
      ...half(COUNT, first, POINTS),
      ...half(DISTRIBUTION, first, SKETCHES),
    ];
    partition.apply(builder.block(0, START_MS, [{ client: 0, sequence, points }]));
    if (first === 0) await partition.commit();
  }
  return partition;
}

const REQUESTS = [
  requestOf([READING], RANGE, 'avg'),
  requestOf([READING], RANGE, 'increase'),
  requestOf([COUNT], RANGE, 'sum'),
  requestOf([COUNT], RANGE, 'count'),
  requestOf([DISTRIBUTION], RANGE, 'sketch'),
];

describe('one long series', () => {
  test('is read, sorted and folded in slices, to the same answer as at once', async () => {
    const plain = await filled(undefined);
    const sliced = slicing();
    const partition = await filled(sliced);
    for (const request of REQUESTS) {
      const before = sliced.turns;
      expect(await partition.aggregate(request)).toEqual(await plain.aggregate(request));
      expect(sliced.turns - before).toBeGreaterThan(POINTS / 10_000);
    }
  });

  test('gives the same answer while others of its thread are read', async () => {
    const plain = await filled(undefined);
    const partition = await filled(slicing());
    const replies = await Promise.all(REQUESTS.map((request) => partition.aggregate(request)));
    for (const [i, reply] of replies.entries()) expect(reply).toEqual(await plain.aggregate(REQUESTS[i]));
  });

  test('is given up when its caller has gone', async () => {
    const all = slicing();
    await (await filled(all)).aggregate(REQUESTS[0]);
    const abort = new AbortController();
    const some = slicing(() => {
      if (some.turns === all.turns - 2) abort.abort(new TidemarkError('deadline_exceeded', 'too late'));
    });
    const partition = await filled(some);
    await expect(partition.aggregate(REQUESTS[0], abort.signal)).rejects.toMatchObject({ code: 'deadline_exceeded' });
    expect(some.turns).toBe(all.turns - 2);
    await partition.commit();
    const { values } = await valuesOf(partition, REQUESTS[0]);
    expect(values[0]).toHaveLength(POINTS / 100);
  });
});
