/**
 * Measures pages without a store: points into the head, the head into pages, columns into a page, and a page into values.
 * The data is that of the whole path.
 */

import { SERIES_CLASS } from '@tidemark/model';
import { PAGE_SLOTS_LIMIT, Page, TimesWriter } from '@tidemark/page';
import type { SeriesIndex } from '@tidemark/point-log';
import { PageCodec } from '@tidemark/point-store';
import { PageFlusher } from '../libs/store/point-store/src/head/flush-pages.ts';
import { PageHead } from '../libs/store/point-store/src/head/page-head.ts';
import { SeriesValues } from './data/series-values.ts';
import { type Measurement, machine, median } from './measurement.ts';

const SERIES = 25_600;
const SERIES_PER_METRIC = 1024;
const TIMES = 60;
const STEP_MS = 10_000;
const START_MS = 1_700_006_400_000;
const BUCKET_MS = 7_200_000;
const RUNS = 7;
const POINTS = SERIES * TIMES;

const source = { mapEpoch: 1, fromOffset: 0, toOffset: 1 };
const table = {
  metric: (series: number) => Math.floor(series / SERIES_PER_METRIC),
  seriesClass: (_series: number) => SERIES_CLASS.reading,
} as SeriesIndex;

/** Claims `page-encode`, `page-decode`, `head-append` and `head-flush`: CPU in ns a point, median of 7 runs after one. */
export async function pages(): Promise<Measurement[]> {
  const rounds = roundsOfValues();
  const codec = new PageCodec();
  const head = new PageHead(table, BUCKET_MS, codec.kernel);
  const flusher = new PageFlusher(codec, table);
  const times = Array.from({ length: TIMES }, (_, i) => new Float64Array(SERIES).fill(START_MS + i * STEP_MS));
  const refs = Uint32Array.from({ length: SERIES }, (_, i) => i);
  const columns = transposed(rounds);
  const found: Record<string, number[]> = { 'page-encode': [], 'page-decode': [], 'head-append': [], 'head-flush': [] };
  let bytes = 0;
  for (let run = 0; run <= RUNS; run++) {
    const measure = (name: string, work: () => void): void => {
      const start = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(start);
      if (run > 0) found[name].push(((user + system) * 1000) / POINTS);
    };
    measure('head-append', () => {
      rounds.forEach((values, i) => {
        head.append(1, refs, { refs, timesMs: times[i], values, length: SERIES });
      });
    });
    measure('head-flush', () => {
      for (const one of head.columns) {
        const times = new TimesWriter({ deal: 1, originMs: one.fromMs }, 0, 1);
        for (const _page of flusher.flush(one, source, times));
        times.take();
      }
    });
    head.clear(run + 1);
    let encoded: Buffer[] = [];
    measure('page-encode', () => {
      encoded = encodeAll(codec, columns);
    });
    measure('page-decode', () => decodeAll(codec, encoded));
    bytes = encoded.reduce((sum, page) => sum + page.length, 0);
  }
  const conditions =
    `${SERIES} series of ${SERIES_PER_METRIC} a metric, ${TIMES} times each, ${(bytes / POINTS).toFixed(3)} bytes a point, ` +
    `median of ${RUNS}; ${machine()}`;
  return Object.entries(found).map(([name, all]) => ({ name, value: median(all), unit: 'ns/point', conditions }));
}

/** The values of all series, time by time. */
function roundsOfValues(): Float64Array<ArrayBuffer>[] {
  const metrics = Uint32Array.from({ length: SERIES }, (_, i) => Math.floor(i / SERIES_PER_METRIC));
  const values = new SeriesValues(metrics, 1);
  return Array.from({ length: TIMES }, () => Float64Array.from({ length: SERIES }, (_, i) => values.next(i)));
}

/** The values of all times, series by series. */
function transposed(rounds: readonly Float64Array[]): Float64Array<ArrayBuffer>[] {
  return Array.from({ length: SERIES }, (_, i) => Float64Array.from(rounds, (values) => values[i]));
}

function encodeAll({ writer }: PageCodec, columns: readonly Float64Array<ArrayBuffer>[]): Buffer[] {
  const encoded: Buffer[] = [];
  for (let from = 0; from < SERIES; from += PAGE_SLOTS_LIMIT) {
    for (let i = from; i < from + PAGE_SLOTS_LIMIT; i++) {
      writer.addValues(i, writer.times.addRegular(START_MS, STEP_MS, TIMES), columns[i], 0);
    }
    encoded.push(writer.finish(source));
  }
  return encoded;
}

function decodeAll({ decoder }: PageCodec, encoded: readonly Buffer[]): void {
  decoder.clear();
  for (const bytes of encoded) {
    const page = new Page(bytes);
    for (let slot = 0; slot < page.slots; slot++) decoder.decode(page, slot, decoder.freeAt);
  }
}
