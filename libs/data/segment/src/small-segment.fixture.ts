import { DAY_MS, SERIES_CLASS } from '@tidemark/model';
import { HEAD } from './segment.fixture.ts';
import type { SegmentSeries, SeriesPart } from './segment-series.ts';

const START_MS = HEAD.day * DAY_MS;
const idOf = (first: number): Buffer => Buffer.alloc(16, first);

function values(mapEpoch: number, timesMs: Float64Array<ArrayBuffer>, of: (i: number) => number): SeriesPart {
  return { mapEpoch, timesMs, values: timesMs.map((_, i) => of(i)) };
}

/** Series of all classes, with regular, shared and few times, values that are not decimals, and two map epochs. */
export function smallSeries(): SegmentSeries[] {
  const hourly = Float64Array.from({ length: 12 }, (_, i) => START_MS + i * 7_200_000);
  const jittered = hourly.map((timeMs, i) => timeMs + ((i * 37) % 11));
  const once = Float64Array.of(START_MS + DAY_MS - 1);
  const named = { tenant: 'default', seriesClass: SERIES_CLASS.reading };
  const special = [-0, Number.NaN, Number.POSITIVE_INFINITY];
  return [
    { ...named, metric: 'a', id: idOf(1), parts: [values(1, hourly, (i) => i / 10)] },
    { ...named, metric: 'a', id: idOf(2), parts: [values(1, jittered, (i) => special[i] ?? i)] },
    { ...named, metric: 'a', id: idOf(3), parts: [values(1, jittered, Math.sqrt), values(2, once, () => 7)] },
    { ...named, metric: 'a', id: idOf(4), parts: [values(2, once, () => -7)] },
    { ...named, metric: 'a', seriesClass: SERIES_CLASS.count, id: idOf(1), parts: [values(1, jittered, () => 1)] },
    {
      ...{ ...named, metric: 'b', seriesClass: SERIES_CLASS.distribution, id: idOf(9) },
      parts: [{ mapEpoch: 1, timesMs: jittered.slice(0, 2), sketches: [Buffer.of(1, 2), Buffer.of(3)] }],
    },
    { ...named, tenant: 'other', metric: 'a', id: idOf(1), parts: [values(1, jittered, (i) => 1000 * i)] },
  ];
}
