import { describe, expect, test } from '@jest/globals';
import { testSeed } from '@tidemark/conformance';
import { DAY_MS, SERIES_CLASS } from '@tidemark/model';
import { below } from '@tidemark/ports';
import { SeededRandom } from '@tidemark/simulation';
import {
  DAY_START_MS,
  decodeAll,
  encodeAll,
  encodeOne,
  HEAD,
  pointsOf,
  pointsOfGroup,
  readAll,
  SegmentBytes,
  someSeries,
} from './segment.fixture.ts';
import { Segment } from './segment.ts';
import type { SegmentSeries } from './segment-series.ts';
import { verifySegment } from './verify-segment.ts';

const seed = testSeed();

describe(`a segment (TIDEMARK_TEST_SEED=${seed})`, () => {
  test('has every bit of every point of its series', async () => {
    for (let run = 0; run < 6; run++) {
      const series = someSeries(new SeededRandom(seed).fork(`all ${run}`), 1 + run, run % 3 === 0 ? 300 : 5);
      const bytes = new SegmentBytes(await encodeOne(series));
      const points = pointsOf(series);
      expect(await decodeAll(bytes)).toEqual(points);
      const segment = await Segment.open(bytes);
      await verifySegment(segment);
      const { head, counts } = segment;
      expect(head).toEqual(HEAD);
      expect(counts).toMatchObject({
        series: series.length,
        points: points.length,
        metrics: new Set(series.map(({ tenant, metric }) => `${tenant}/${metric}`)).size,
        minTimeMs: Math.min(...series.flatMap(({ parts }) => parts.map(({ timesMs }) => timesMs[0]))),
        maxTimeMs: Math.max(...series.flatMap(({ parts }) => parts.map(({ timesMs }) => timesMs[timesMs.length - 1]))),
      });
    }
  });

  test('answers queries of some series and times as a search of all points does', async () => {
    const random = new SeededRandom(seed).fork('queries');
    const series = someSeries(random, 12, 200);
    const segment = await Segment.open(new SegmentBytes(await encodeOne(series)));
    for (let run = 0; run < 20; run++) {
      const { tenant, metric } = series[below(random, series.length)];
      const own = series.filter((one) => one.metric === metric && one.tenant === tenant);
      const ids = run % 2 === 0 ? undefined : own.filter(() => below(random, 8) === 0).map(({ id }) => id);
      ids?.sort(Buffer.compare);
      const fromMs = DAY_START_MS + below(random, DAY_MS);
      const range = { fromMs, toMs: fromMs + below(random, DAY_MS / 4) };
      const found = (await readAll(segment, { tenant, metric, ids }, range)).flatMap(pointsOfGroup);
      const isWanted = (point: string) => {
        const [key, , time] = point.split(' ');
        const timeMs = DAY_START_MS + Number(time);
        const isSelected = ids === undefined || ids.some((id) => key.endsWith(Buffer.from(id).toString('hex')));
        return isSelected && timeMs >= range.fromMs && timeMs < range.toMs;
      };
      expect(found.filter(isWanted)).toEqual(pointsOf(own).filter(isWanted));
    }
  });

  test('ends at its size, and the next part continues', async () => {
    const series = someSeries(new SeededRandom(seed).fork('parts'), 60, 20);
    const segments = await encodeAll(series, { segmentBytes: 20_000 });
    expect(segments.length).toBeGreaterThan(2);
    expect(await encodeAll(series, { segmentBytes: 0 })).toHaveLength(
      new Set(series.map(({ tenant, metric, seriesClass }) => `${tenant}/${metric}/${seriesClass}`)).size,
    );
    const points: string[] = [];
    for (const bytes of segments) points.push(...(await decodeAll(new SegmentBytes(bytes))));
    expect(points).toEqual(pointsOf(series));
  });

  test('has nothing of a metric that it lacks', async () => {
    const series = someSeries(new SeededRandom(seed).fork('lacks'), 30, 3);
    const segment = await Segment.open(new SegmentBytes(await encodeOne(series)));
    for (const metric of ['', 'a', 'b.500', 'zzz']) {
      for (const tenant of ['a', 'default', 'z']) expect(await readAll(segment, { tenant, metric })).toEqual([]);
    }
  });
});

test('one metric of 5,000 is found by one read of some KiB', async () => {
  const timesMs = Float64Array.from({ length: 10 }, (_, i) => DAY_START_MS + i * 10_000);
  const values = timesMs.map((_, i) => i);
  const series = Array.from({ length: 5000 }, (_, i): SegmentSeries => {
    const metric = `service.requests.${String(i).padStart(6, '0')}`;
    const id = new SeededRandom(i).bytes(16);
    return {
      tenant: 'default',
      metric,
      seriesClass: SERIES_CLASS.reading,
      id,
      parts: [{ mapEpoch: 1, timesMs, values }],
    };
  });
  const source = new SegmentBytes(await encodeOne(series));
  const segment = await Segment.open(source);
  expect(source.reads).toHaveLength(1);
  const found = await readAll(segment, { tenant: 'default', metric: series[1234].metric });
  expect(found.flatMap(pointsOfGroup)).toEqual(pointsOf([series[1234]]));
  expect(source.reads).toHaveLength(3);
  expect(source.reads[1][1] + source.reads[2][1]).toBeLessThan(40_000);
});
