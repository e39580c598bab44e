import { expect, test } from '@jest/globals';
import { SERIES_CLASS } from '@tidemark/model';
import { cutHours } from './day-cut.ts';
import { DAY_START_MS } from './segment.fixture.ts';
import type { SegmentSeries } from './segment-series.ts';

const HOUR_MS = 3_600_000;

/** Series with `count` points each, `stepMs` apart from an hour on. */
function groupOf(series: number, count: number, stepMs: number, fromHour = 0): SegmentSeries[] {
  const timesMs = Float64Array.from({ length: count }, (_, i) => DAY_START_MS + fromHour * HOUR_MS + i * stepMs);
  const parts = [{ mapEpoch: 1, timesMs, values: new Float64Array(count) }];
  const one = { tenant: 't', metric: 'm', seriesClass: SERIES_CLASS.reading, id: Buffer.alloc(16), parts };
  return Array.from({ length: series }, () => one);
}

test.each([
  ['one series, a minute apart', groupOf(1, 1440, 60_000), 24],
  ['one series, 10 s apart: a page has 4,096 points at most', groupOf(1, 8640, 10_000), 8],
  ['256 series, 5 minutes apart', groupOf(256, 288, 300_000), 24],
  ['256 series, a minute apart', groupOf(256, 1440, 60_000), 8],
  ['100 series, 10 s apart', groupOf(100, 8640, 10_000), 2],
  ['256 series, 10 s apart', groupOf(256, 8640, 10_000), 1],
  ['256 series, a second apart: nothing is shorter than an hour', groupOf(256, 86_400, 1000), 1],
  ['256 series in one hour', groupOf(256, 500, 5000, 13), 24],
  ['256 series in the last hour, more than a page has', groupOf(256, 3600, 1000, 23), 1],
])('%s: the borders follow the points', (_, group, hours) => {
  expect(cutHours(group, DAY_START_MS)).toBe(hours);
});

test('sketches count as their bytes', () => {
  const [{ parts, ...one }] = groupOf(1, 200, 400_000);
  const { mapEpoch, timesMs } = parts[0];
  const sketches = Array.from(timesMs, () => new Uint8Array(3999));
  expect(cutHours([{ ...one, parts: [{ mapEpoch, timesMs, sketches }] }], DAY_START_MS)).toBe(2);
});
