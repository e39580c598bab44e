import { expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { DAY_MS, SERIES_CLASS } from '@tidemark/model';
import { below, type Random } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import {
  compareSeries,
  DAY_START_MS,
  decodeAll,
  encodeAll,
  encodeOne,
  pointsOf,
  SegmentBytes,
} from './segment.fixture.ts';
import type { SegmentSeries } from './segment-series.ts';

const SERIES = 40;
const seed = testSeed();
const title = `(TIDEMARK_TEST_SEED=${seed})`;

interface Reading {
  readonly series: number;
  readonly timeMs: number;
  readonly value: number;
}

/** Readings in log order, some late and some with the time of one before. */
function someReadings(random: Random): Reading[] {
  const readings: Reading[] = [];
  for (let round = 0; round < 60; round++) {
    for (let series = 0; series < SERIES; series++) {
      const late = below(random, 9) === 0 ? below(random, round + 1) : 0;
      const timeMs = DAY_START_MS + ((round - late) * DAY_MS) / 60 + (series % 3) * below(random, 2);
      readings.push({ series, timeMs, value: below(random, 1000) / 10 });
    }
  }
  return readings;
}

/** The same log in another order that no reader distinguishes: readings of one series and time keep theirs. */
function reordered(readings: readonly Reading[], random: Random): Reading[] {
  const places = new Map<string, number>();
  const keyed = readings.map((reading) => {
    const key = `${reading.series} ${reading.timeMs}`;
    const place = Math.max(random.next(), places.get(key) ?? 0);
    places.set(key, place);
    return { reading, place };
  });
  return keyed.sort((a, b) => a.place - b.place).map(({ reading }) => reading);
}

/** What a store has of the log after commits of random sizes: of each commit its points by time, then those of all merged. */
function storedAfterCommits(readings: readonly Reading[], random: Random): SegmentSeries[] {
  const stored = Array.from({ length: SERIES }, () => new Map<number, number>());
  for (let from = 0; from < readings.length; ) {
    const to = from + 1 + below(random, 400);
    const commit = readings.slice(from, to).sort((a, b) => a.series - b.series || a.timeMs - b.timeMs);
    for (const { series, timeMs, value } of commit) stored[series].set(timeMs, value);
    from = to;
  }
  return stored
    .map((points, i): SegmentSeries => {
      const sorted = [...points].sort(([a], [b]) => a - b);
      const timesMs = Float64Array.from(sorted, ([timeMs]) => timeMs);
      const values = Float64Array.from(sorted, ([, value]) => value);
      const id = new SeededRandom(i).bytes(16);
      const metric = `m${i % 3}`;
      const seriesClass = SERIES_CLASS.reading;
      return { tenant: 'default', metric, seriesClass, id, parts: [{ mapEpoch: 1, timesMs, values }] };
    })
    .sort(compareSeries);
}

test(`a segment has the same bytes after any commits, in any order that no reader distinguishes ${title}`, async () => {
  const random = new SeededRandom(seed);
  const readings = someReadings(random);
  const first = storedAfterCommits(readings, random);
  const bytes = await encodeOne(first);
  expect(await decodeAll(new SegmentBytes(bytes))).toEqual(pointsOf(first));
  for (let run = 0; run < 20; run++) {
    const again = await encodeOne(storedAfterCommits(reordered(readings, random), random));
    expect(again.equals(bytes)).toBe(true);
  }
});

test(`a segment has the same bytes after a segment of other series, and from a slow stream ${title}`, async () => {
  const random = new SeededRandom(seed).fork('stream');
  const series = storedAfterCommits(someReadings(random), random);
  const bytes = await encodeOne(series);
  await encodeOne(storedAfterCommits(someReadings(random), random));
  const slowly = async function* (): AsyncGenerator<SegmentSeries> {
    for (const [i, one] of series.entries()) {
      if (i % 3 === 0) await Promise.resolve();
      yield { ...one, parts: one.parts.map((part) => ({ ...part, timesMs: part.timesMs.slice() })) };
    }
  };
  const [again, ...more] = await encodeAll(slowly());
  expect(more).toEqual([]);
  expect(again.equals(bytes)).toBe(true);
});
