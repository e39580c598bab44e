import { beforeAll, describe, expect, test } from '@jest/globals';
import { DAY_MS, SERIES_CLASS } from '@tidemark/model';
import { isTidemarkError } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import { numbersOf } from './read-pages.ts';
import {
  compareSeries,
  DAY_START_MS,
  encodeOne,
  pointsOf,
  pointsOfGroup,
  readAll,
  SegmentBytes,
} from './segment.fixture.ts';
import { Segment } from './segment.ts';
import type { SegmentSeries } from './segment-series.ts';

const HOUR_MS = 3_600_000;
const SERIES = 1000;
const STEP_MS = 60_000;

/** A metric of 1,000 series in four groups, of which a page has eight hours. */
function largeMetric(): SegmentSeries[] {
  const timesMs = Float64Array.from({ length: DAY_MS / STEP_MS }, (_, i) => DAY_START_MS + i * STEP_MS);
  return Array.from({ length: SERIES }, (_, i): SegmentSeries => {
    const values = timesMs.map((_, k) => (i * k) % 50);
    const parts = [{ mapEpoch: 1, timesMs, values }];
    return { tenant: 't', metric: 'm', seriesClass: SERIES_CLASS.reading, id: new SeededRandom(i).bytes(16), parts };
  }).sort(compareSeries);
}

describe('of a metric of 1,000 series', () => {
  let series: SegmentSeries[];
  let source: SegmentBytes;

  beforeAll(async () => {
    series = largeMetric();
    source = new SegmentBytes(await encodeOne(series));
  });

  /** Runs work; returns what it reads, with the first read, which opens the segment. */
  async function reads(work: (segment: Segment) => Promise<void>): Promise<number[]> {
    source.reads.length = 0;
    await work(await Segment.open(source));
    return source.reads.map(([, length]) => length);
  }

  test('eight hours are one read behind that of the index, and one of ids', async () => {
    const range = { fromMs: DAY_START_MS + 8 * HOUR_MS, toMs: DAY_START_MS + 16 * HOUR_MS };
    const lengths = await reads(async (segment) => {
      const groups = await readAll(segment, { tenant: 't', metric: 'm' }, range);
      expect(groups).toHaveLength(4);
      expect(groups.flatMap(({ pages }) => pages)).toHaveLength(4);
    });
    expect(lengths).toHaveLength(4);
    expect(lengths[3]).toBeLessThan(source.sizeBytes / 2);
  });

  test('one series is found by its id, and reads the pages of its group alone', async () => {
    const wanted = series[777];
    const range = { fromMs: DAY_START_MS, toMs: DAY_START_MS + HOUR_MS };
    const lengths = await reads(async (segment) => {
      const [group, ...others] = await readAll(segment, { tenant: 't', metric: 'm', ids: [wanted.id] }, range);
      expect(others).toEqual([]);
      expect(numbersOf(group, [wanted.id])).toEqual([777]);
      const own = pointsOf([wanted]);
      const found = pointsOfGroup(group).filter((point) => point.startsWith(own[0].split(' ')[0]));
      expect(found).toEqual(own.slice(0, found.length));
      expect(found.length).toBeGreaterThanOrEqual(HOUR_MS / STEP_MS);
    });
    const pageBytes = lengths.slice(1).reduce((sum, length) => sum + length, 0);
    expect(pageBytes).toBeLessThan(source.sizeBytes / 8);
  });

  test('an id that it lacks reads a block at most', async () => {
    const lengths = await reads(async (segment) => {
      expect(await readAll(segment, { tenant: 't', metric: 'm', ids: [Buffer.alloc(16, 0xff)] })).toEqual([]);
    });
    expect(lengths.length).toBeLessThanOrEqual(2);
  });
});

test('a series that needs too many pages is refused, by name', async () => {
  const mapEpochs = Array.from({ length: 4097 }, (_, i) => i);
  const parts = mapEpochs.map((mapEpoch) => ({
    mapEpoch,
    timesMs: Float64Array.of(DAY_START_MS),
    values: new Float64Array(1),
  }));
  const series = { tenant: 't', metric: 'm', seriesClass: SERIES_CLASS.reading, id: Buffer.alloc(16), parts };
  const error = await encodeOne([series]).catch((thrown: unknown) => thrown);
  expect(isTidemarkError(error, 'resource_exhausted') && error.message).toBe(
    '1 series of metric m need more than 4096 pages on one day (limit: 4096); keep the day in the store',
  );
  // The pages that were written for it are gone.
  const one = { ...series, parts: parts.slice(0, 1) };
  const segment = await Segment.open(new SegmentBytes(await encodeOne([one])));
  expect(segment.counts.points).toBe(1);
});
