import { expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { seriesIdOf } from '@tidemark/point-log/testing';
import { finishAtOnce, WorkSlice } from '@tidemark/ports';
import { type Content, MemoryKeyValue } from '@tidemark/simulation';
import fc from 'fast-check';
import { DEFAULT_POINT_STORE_LIMITS } from '../index.ts';
import { resolveInPieces } from '../series/resolve.ts';
import { SeriesPoints } from '../series/series-columns.ts';
import { consume, schedule } from '../testing/schedules.ts';
import { BUCKET_MS, StoryLog, story } from '../testing/stories.ts';
import { type DayCut, DayPoints, type DaySeries } from './day-points.ts';

/** Reads all that a database has of a cut: lists of series by the id of their metric, in hex. */
async function readAll(content: Content, cut: DayCut, passPoints: number): Promise<Map<string, DaySeries[]>> {
  const limits = { ...DEFAULT_POINT_STORE_LIMITS, commitStepMs: 2000, bucketMs: BUCKET_MS };
  const slice = new WorkSlice(undefined, undefined);
  const options = { partition: 0, keyValue: new MemoryKeyValue(content), limits };
  const points = await DayPoints.open(options, cut, slice, passPoints);
  const found = new Map<string, DaySeries[]>();
  for (const [metric, series] of points.seriesByMetric()) {
    const own: DaySeries[] = [];
    for await (const one of points.read(metric, series)) own.push({ ...one, id: Uint8Array.from(one.id) });
    if (own.length > 0) found.set(Buffer.from(points.metricId(metric)).toString('hex'), own);
  }
  points.close();
  return found;
}

/** One point of each time, as an answer has them. */
function resolved({ seriesClass, parts }: DaySeries): { timesMs: number[]; values: number[] } {
  const points = new SeriesPoints();
  for (const { timesMs, values } of parts)
    for (let i = 0; i < timesMs.length; i++) points.push(timesMs[i], values?.[i] ?? Number.NaN);
  finishAtOnce(resolveInPieces(seriesClass, points));
  const { timesMs, values, length } = points;
  return { timesMs: [...timesMs.subarray(0, length)], values: [...values.subarray(0, length)] };
}

test('a day has the points below its cut, for any commits, closes, kills and passes, in the order of segments', async () => {
  let cuts = 0;
  let several = 0;
  await fc.assert(
    fc.asyncProperty(
      story,
      schedule,
      schedule,
      fc.constantFrom(1, 100, 1_000_000),
      async (told, one, other, passPoints) => {
        const log = new StoryLog(told);
        const [first, second] = [await consume(log, one), await consume(log, other)];
        await first.partition.commit();
        await second.partition.commit();
        for (const { bucketMs, offset } of first.partition.status.stateHashes) {
          const cut = { fromMs: bucketMs, toMs: bucketMs + BUCKET_MS, fromOffset: 0, offset };
          const day = await readAll(first.content, cut, passPoints);
          expect(await readAll(second.content, cut, 1_000_000)).toEqual(day);
          cuts++;
          const series = [...day.values()].flat();
          for (const list of day.values()) {
            const keys = list.map(({ seriesClass, id }) => `${seriesClass} ${Buffer.from(id).toString('hex')}`);
            expect(keys).toEqual([...keys].sort());
            if (list.length > 1) several++;
          }
          for (let i = 0; i < 12; i++) {
            const expected = log.resolved(i, offset, cut.fromMs, cut.toMs);
            const found = series.find(({ id }) => Buffer.compare(id, seriesIdOf(i)) === 0);
            const points = found === undefined ? { timesMs: [], values: [] } : resolved(found);
            expect(points).toEqual({
              timesMs: [...expected.timesMs.subarray(0, expected.length)],
              values: [...expected.values.subarray(0, expected.length)],
            });
          }
        }
      },
    ),
    { numRuns: 40, seed: testSeed() },
  );
  expect(cuts).toBeGreaterThan(40);
  expect(several).toBeGreaterThan(20);
});
