import { expect, jest, test } from '@jest/globals';
import { LogBuilder } from '@tidemark/point-log/testing';
import { RECORD } from '@tidemark/point-records';
import { TidemarkError } from '@tidemark/ports';
import { MemoryKeyValue } from '@tidemark/simulation';
import { DEFAULT_POINT_STORE_LIMITS, PointPartition } from '../index.ts';
import { RangePages } from '../read/range-pages.ts';
import { requestOf, valuesOf } from '../testing/aggregates.ts';

const BUCKET_MS = 10_000;
const LIMITS = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: BUCKET_MS, bucketMs: BUCKET_MS };
const SERIES = Array.from({ length: 200 }, (_, i) => i * 4);
/** A query of the test that takes as many turns does not end. */
const TURNS = 5000;

/** A partition with a commit in the second bucket, which answers averages of it: these need points on both sides. */
async function opened() {
  const keyValue = new MemoryKeyValue();
  let turns = 0;
  const stop = new AbortController();
  const slicing = {
    clock: { monotonicMs: () => turns },
    sliceMs: 0,
    yieldTurn: async () => {
      if (++turns > TURNS) stop.abort(new TidemarkError('deadline_exceeded', `${TURNS} turns`));
    },
  };
  const partition = await PointPartition.open({
    ...{ partition: 0, keyValue, limits: LIMITS, latenessMs: () => 3000, slicing },
  });
  const builder = new LogBuilder();
  partition.apply(builder.bare(RECORD.open, 0, 0));
  let sequence = 0;
  const write = (timeMs: number): void => {
    const points = SERIES.map((series) => ({ series, timeMs, value: timeMs }));
    partition.apply(builder.block(0, 0, [{ client: 0, sequence: sequence++, points }]));
  };
  const ask = async () => {
    turns = 0;
    const range = { fromMs: BUCKET_MS, toMs: 2 * BUCKET_MS, stepMs: BUCKET_MS };
    return (await partition.aggregate(requestOf(SERIES, range, 'avg'), stop.signal)).groups;
  };
  write(1.5 * BUCKET_MS);
  await partition.commit();
  return { keyValue, partition, write, ask };
}

test.each([false, true])(
  'a query is answered while the first commit of another bucket has failed (behind its effect: %s)',
  async (failsLate) => {
    for (const otherMs of [0, 5 * BUCKET_MS]) {
      const { keyValue, partition, write, ask } = await opened();
      write(otherMs);
      const before = await ask();
      Object.assign(keyValue, { failingWrites: 1, failsLate });
      await expect(partition.commit()).rejects.toMatchObject({ code: 'resource_exhausted' });
      expect(await ask()).toEqual(before);
      await partition.commit();
      expect(await ask()).toEqual(before);
      const other = requestOf(SERIES, { fromMs: otherMs, toMs: otherMs + 1, stepMs: 1 }, 'last');
      expect((await valuesOf(partition, other)).values).toEqual(SERIES.map(() => [otherMs]));
    }
  },
);

test('a query ends with an error when points that are named outside of its range are never found', async () => {
  const named = jest.spyOn(RangePages.prototype, 'hasNewer').mockReturnValue(true);
  const { ask } = await opened();
  await expect(ask()).rejects.toMatchObject({ code: 'internal', detail: { partition: 0 } });
  named.mockRestore();
});
