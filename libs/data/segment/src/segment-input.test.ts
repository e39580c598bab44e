import { describe, expect, test } from '@jest/globals';
import { DAY_MS, SERIES_CLASS } from '@tidemark/model';
import { DAY_START_MS, encodeAll, encodeOne, numberedId } from './segment.fixture.ts';
import { SegmentInput } from './segment-input.ts';
import type { SegmentSeries } from './segment-series.ts';

/** A series of one part with these times. */
function seriesAt(number: number, timesMs: Float64Array<ArrayBuffer>): SegmentSeries {
  const parts = [{ mapEpoch: 1, timesMs, values: new Float64Array(timesMs.length) }];
  return { tenant: 't', metric: 'm', seriesClass: SERIES_CLASS.reading, id: numberedId(number), parts };
}

const hourly = () => Float64Array.from({ length: 24 }, (_, i) => DAY_START_MS + (i * DAY_MS) / 24);

describe('is refused, as no point may be lost:', () => {
  test.each([
    ['times that descend between the first and the last one', Float64Array.of(0, 50, 10, 60)],
    ['a time before the day in the middle', Float64Array.of(0, -1, 60)],
    ['a time after the day in the middle', Float64Array.of(0, DAY_MS, 60)],
    ['a time that is NaN', Float64Array.of(0, Number.NaN, 60)],
  ])('%s', async (_, times) => {
    const timesMs = times.map((timeMs) => DAY_START_MS + timeMs);
    await expect(encodeOne([seriesAt(0, timesMs)])).rejects.toThrow('times of a part do not descend');
  });

  test('times that descend where a series of many points gets a further page', async () => {
    const timesMs = Float64Array.from({ length: 5000 }, (_, i) => DAY_START_MS + (i % 4096));
    await expect(encodeOne([seriesAt(0, timesMs)])).rejects.toThrow('times of a part do not descend');
  });

  test('times that change while their group is written', async () => {
    const shared = hourly();
    const source = function* (): Generator<SegmentSeries> {
      yield seriesAt(0, shared);
      yield seriesAt(1, hourly());
      // The same group: it still has the times of the first series.
      shared.fill(DAY_START_MS + DAY_MS);
      yield seriesAt(2, hourly());
    };
    await expect(encodeAll(source())).rejects.toThrow('48 points of 72 were written of a group');
  });
});

test('an input whose series could not be read gives no further group, and ends their iteration', async () => {
  let isEnded = false;
  const source = function* (): Generator<SegmentSeries> {
    try {
      yield seriesAt(0, hourly());
      yield seriesAt(1, Float64Array.of(DAY_START_MS - 1));
      yield seriesAt(2, hourly());
    } finally {
      isEnded = true;
    }
  };
  const input = new SegmentInput(source(), DAY_START_MS / DAY_MS);
  expect(await input.isDone()).toBe(false);
  for (let i = 0; i < 2; i++) await expect(input.group()).rejects.toThrow('times are within the day');
  await expect(input.isDone()).rejects.toThrow('times are within the day');
  await input.close();
  expect(isEnded).toBe(true);
});
