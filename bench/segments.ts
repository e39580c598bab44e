/**
 * Measures segments without a store: a day of series as an object, in memory. The data is that of the whole path: 40%
 * counters, 40% gauges of one or two decimals, 20% constants.
 */

import { DAY_MS, SERIES_CLASS, seriesId } from '@tidemark/model';
import { PageKernel, PageWriter } from '@tidemark/page';
import { SegmentInput, type SegmentSeries, writeSegment } from '@tidemark/segment';
import { SeriesValues } from './data/series-values.ts';
import { type Measurement, machine, median } from './measurement.ts';

const METRICS = 5;
const SERIES_PER_METRIC = 256;
const SERIES = METRICS * SERIES_PER_METRIC;
const STEP_MS = 10_000;
const TIMES = DAY_MS / STEP_MS;
const POINTS = SERIES * TIMES;
const RUNS = 5;
const HEAD = {
  ...{ partition: 0, day: 19_675, part: 0 },
  ...{ fromOffset: 0, toOffset: 1_000_000, logId: 'bench' },
};
const TENANT = 'default';

/** Claims `segment-write`, CPU in ns a point, median of 5 runs after one, and `bytes-per-point-s3`, of the whole object. */
export async function segments(): Promise<Measurement[]> {
  const series = daySeries();
  const pages = new PageWriter(new PageKernel());
  const found: number[] = [];
  let bytes = 0;
  for (let run = 0; run <= RUNS; run++) {
    const start = process.cpuUsage();
    bytes = 0;
    const input = new SegmentInput(series, HEAD.day);
    for await (const chunk of writeSegment(input, pages, { head: HEAD })) bytes += chunk.length;
    const { user, system } = process.cpuUsage(start);
    if (run > 0) found.push(((user + system) * 1000) / POINTS);
  }
  const conditions =
    `${SERIES} series of ${SERIES_PER_METRIC} a metric, a day of ${TIMES} times 10 s apart, 40% counters, 40% gauges of ` +
    `1-2 decimals, 20% constants`;
  return [
    {
      name: 'segment-write',
      value: median(found),
      unit: 'ns/point',
      conditions: `${conditions}, median of ${RUNS}; ${machine()}`,
    },
    {
      name: 'bytes-per-point-s3',
      value: bytes / POINTS,
      unit: 'bytes/point',
      conditions: `${conditions}; the whole object with ids and index`,
    },
  ];
}

/** A day of all series, in the order of segments. */
function daySeries(): SegmentSeries[] {
  const metrics = Uint32Array.from({ length: SERIES }, (_, i) => Math.floor(i / SERIES_PER_METRIC));
  const values = new SeriesValues(metrics, 1);
  const timesMs = Float64Array.from({ length: TIMES }, (_, i) => HEAD.day * DAY_MS + i * STEP_MS);
  const all = Array.from({ length: SERIES }, (_, i): SegmentSeries => {
    const metric = `service.requests.${metrics[i]}`;
    const seriesClass = SERIES_CLASS.reading;
    const id = seriesId({ tenant: TENANT, metric, seriesClass, tags: [`host:${i % SERIES_PER_METRIC}`] });
    const own = Float64Array.from({ length: TIMES }, () => values.next(i));
    return { tenant: TENANT, metric, seriesClass, id, parts: [{ mapEpoch: 1, timesMs, values: own }] };
  });
  return all.sort((a, b) => (a.metric === b.metric ? Buffer.compare(a.id, b.id) : a.metric < b.metric ? -1 : 1));
}
