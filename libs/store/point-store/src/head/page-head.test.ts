import { describe, expect, it } from '@jest/globals';
import { SERIES_CLASS } from '@tidemark/model';
import { Page, TimesWriter } from '@tidemark/page';
import type { SeriesIndex } from '@tidemark/point-log';
import { finishAtOnce } from '@tidemark/ports';
import fc from 'fast-check';
import { PageCodec } from '../pages/page-codec.ts';
import { compactPoints } from '../series/resolve.ts';
import { Selection } from '../series/selection.ts';
import { SeriesPoints } from '../series/series-columns.ts';
import { PageFlusher } from './flush-pages.ts';
import { HeadView } from './head-view.ts';
import { PageHead } from './page-head.ts';

const BUCKET_MS = 60_000;
const KNOWN = 31;
const CLASSES = [SERIES_CLASS.reading, SERIES_CLASS.count, SERIES_CLASS.distribution];
const codec = new PageCodec();
const { kernel, decoder } = codec;

/** Series s has metric s % metrics, and the class of its metric. */
function tableOf(metrics: number): SeriesIndex {
  const seriesClass = (series: number) => CLASSES[(series % metrics) % CLASSES.length];
  return { length: KNOWN, metric: (series: number) => series % metrics, seriesClass } as SeriesIndex;
}

interface Point {
  readonly epoch: number;
  readonly series: number;
  readonly timeMs: number;
  readonly value: number;
}

/** By epoch, bucket and series: what pages have to hold. */
function expected(points: readonly Point[], table: SeriesIndex): Map<string, string[]> {
  const groups = Map.groupBy(
    points,
    ({ epoch, series, timeMs }) => `${epoch} ${Math.floor(timeMs / BUCKET_MS)} ${series}`,
  );
  return new Map(
    [...groups].map(([key, own]) => {
      if (table.seriesClass(own[0].series) === SERIES_CLASS.distribution) {
        return [key, own.sort((a, b) => a.timeMs - b.timeMs).map(({ timeMs, value }) => `${timeMs} s${value & 255}`)];
      }
      const timesMs = Float64Array.from(own, ({ timeMs }) => timeMs);
      const values = Float64Array.from(own, ({ value }) => value);
      const end = compactPoints(table.seriesClass(own[0].series), timesMs, values, 0, own.length);
      return [key, Array.from({ length: end }, (_, i) => `${timesMs[i]} ${values[i]}`)];
    }),
  );
}

function flushed(head: PageHead, table: SeriesIndex): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const flusher = new PageFlusher(codec, table);
  for (const columns of head.columns) {
    const source = { mapEpoch: columns.mapEpoch, fromOffset: 1, toOffset: 2 };
    const recorded = new TimesWriter({ deal: 1, originMs: columns.fromMs }, 0, 4096);
    const pages = [...flusher.flush(columns, source, recorded)];
    recorded.take();
    for (const { dealt, bytes } of pages) {
      const reader = new Page(bytes, (number) => recorded.recordOf(number));
      const { slots } = reader;
      for (let slot = 0; slot < slots; slot++) {
        const series = reader.series[slot];
        expect(dealt.series.subarray(0, dealt.slots)).toContain(series);
        const key = `${columns.mapEpoch} ${columns.bucket} ${series}`;
        const times = reader.times.timesOf(reader.classOf(slot));
        const rows = found.get(key) ?? [];
        found.set(key, rows);
        if (reader.hasSketches(slot)) {
          reader.sketchesOf(slot).forEach((payload, i) => {
            rows.push(`${times[i]} s${payload[0]}`);
          });
        } else {
          const columnAt = decoder.freeAt;
          decoder.decode(reader, slot, columnAt);
          times.forEach((timeMs, i) => {
            rows.push(`${timeMs} ${decoder.floats[columnAt / 8 + i]}`);
          });
        }
      }
    }
  }
  return found;
}

function apply(head: PageHead, points: readonly Point[], table: SeriesIndex): void {
  for (const { epoch, series, timeMs, value } of points) {
    if (table.seriesClass(series) === SERIES_CLASS.distribution) {
      head.appendSketch(epoch, series, timeMs, Uint8Array.of(value & 255, 7));
      continue;
    }
    const share = {
      refs: Uint32Array.of(0),
      timesMs: Float64Array.of(timeMs),
      values: Float64Array.of(value),
      length: 1,
    };
    head.append(epoch, Uint32Array.of(series), share);
  }
}

const points = fc.array(
  fc.record({
    epoch: fc.constantFrom(1, 1, 1, 2),
    series: fc.integer({ min: 0, max: 30 }),
    timeMs: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 20 }).map((step) => step * 10_000) },
      { weight: 1, arbitrary: fc.integer({ min: -100_000, max: 300_000 }) },
    ),
    value: fc.integer({ min: -1000, max: 1000 }),
  }),
  { maxLength: 300 },
);

describe('the head', () => {
  it('gives every commit all of its points, by bucket, map epoch and series, as they are stored', () => {
    fc.assert(
      fc.property(
        fc.array(points, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 7 }),
        (commits, metrics) => {
          const table = tableOf(metrics);
          const head = new PageHead(table, BUCKET_MS, kernel);
          const { usedBytes } = kernel.blocks;
          commits.forEach((own, i) => {
            apply(head, own, table);
            expect(head.points).toBe(own.length);
            const wanted = expected(own, table);
            const found = flushed(head, table);
            expect(new Map([...found].sort())).toEqual(new Map([...wanted].sort()));
            head.clear(i + 1);
            expect(kernel.blocks.usedBytes).toBe(usedBytes);
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('shows a view what it had at that moment when more points follow, and gives all memory back when closed', () => {
    fc.assert(
      fc.property(points, points, fc.boolean(), (before, after, isCommitted) => {
        const table = tableOf(2);
        const { usedBytes } = kernel.blocks;
        const head = new PageHead(table, BUCKET_MS, kernel);
        apply(head, before, table);
        const views = head.columns.map((columns) => new HeadView(columns));
        apply(head, after, table);
        if (isCommitted) head.clear(1);
        head.close();
        expect(() => head.columns).toThrow('was closed');
        const selection = new Selection(Uint32Array.from({ length: 31 }, (_, series) => series));
        const counts = views.map((view) => finishAtOnce(view.count(selection)));
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(before.length);
        const numbers = before.filter(({ series }) => table.seriesClass(series) !== SERIES_CLASS.distribution);
        const wanted = Map.groupBy(
          numbers,
          ({ epoch, series, timeMs }) => `${epoch} ${Math.floor(timeMs / BUCKET_MS)} ${series}`,
        );
        for (const view of views) {
          for (const series of selection.series) {
            const found = new SeriesPoints();
            view.addPoints(series, found, codec);
            const own = wanted.get(`${view.mapEpoch} ${view.fromMs / BUCKET_MS} ${series}`) ?? [];
            expect([...found.timesMs.subarray(0, found.length)]).toEqual(own.map(({ timeMs }) => timeMs));
            expect([...found.values.subarray(0, found.length)]).toEqual(own.map(({ value }) => value));
          }
          view.release();
        }
        expect(kernel.blocks.usedBytes).toBe(usedBytes);
      }),
      { numRuns: 200 },
    );
  });

  it('keeps the deal of a bucket while points of it come and others get some, too', () => {
    const table = tableOf(1);
    const head = new PageHead(table, BUCKET_MS, kernel);
    const dealOf = (bucket: number) => head.columns.find((one) => one.bucket === bucket)?.deal;
    const pointIn = (bucket: number): Point => ({ epoch: 1, series: 0, timeMs: bucket * BUCKET_MS, value: 1 });
    apply(head, [pointIn(5)], table);
    const first = dealOf(5);
    for (let commit = 1; commit <= 40; commit++) {
      head.clear(commit);
      apply(head, [pointIn(100 + commit), pointIn(5)], table);
      expect(dealOf(5)).toBe(first);
    }
    head.clear(41);
    apply(head, [pointIn(101)], table);
    expect(dealOf(101)?.number).toBe(42);
    head.clear(42);
  });

  it('forgets the deals of the buckets that got points first when deals have many slots', () => {
    const table = tableOf(1);
    const head = new PageHead(table, BUCKET_MS, kernel);
    const numbersOf = (buckets: readonly number[]) => {
      apply(
        head,
        buckets.map((bucket) => ({ epoch: 1, series: 0, timeMs: bucket * BUCKET_MS, value: 1 })),
        table,
      );
      return head.columns.map(({ deal }) => deal.number);
    };
    for (let bucket = 0; bucket < 6; bucket++) {
      apply(
        head,
        Array.from({ length: KNOWN }, (_, series) => ({ epoch: 1, series, timeMs: bucket * BUCKET_MS, value: 1 })),
        table,
      );
      head.clear(bucket + 1);
    }
    expect(numbersOf([2, 3, 4, 5])).toEqual([3, 4, 5, 6]);
    head.clear(7);
    expect(numbersOf([1])).toEqual([8]);
    head.clear(8);
  });

  it('writes more points of a series than a page holds into several', () => {
    const table = tableOf(1);
    const head = new PageHead(table, 3_600_000, kernel);
    const own = Array.from({ length: 10_000 }, (_, i) => ({ epoch: 1, series: i % 2, timeMs: i >> 1, value: i }));
    apply(head, own, table);
    apply(head, [{ epoch: 1, series: 0, timeMs: 17, value: -5 }], table);
    const found = flushed(head, table);
    expect(found.get('1 0 1')).toHaveLength(5000);
    expect(found.get('1 0 0')?.[17]).toBe('17 -5');
    head.clear(1);
  });
});

describe('a full head', () => {
  const rowsOf = (series: number, rows: number, bucketMs = 1e9): PageHead => {
    const table = {
      length: series,
      metric: () => 0,
      seriesClass: () => SERIES_CLASS.reading,
    } as unknown as SeriesIndex;
    const own = new PageCodec();
    const head = new PageHead(table, bucketMs, own.kernel);
    const refs = Uint32Array.from({ length: series }, (_, i) => i);
    const values = new Float64Array(series);
    for (let row = 0; row < rows; row++) {
      head.append(1, refs, { refs, values, timesMs: new Float64Array(series).fill(1000 * row), length: series });
    }
    return head;
  };

  it('has many points, and many of each series', () => {
    expect(rowsOf(20_000, 75).isFull).toBe(false);
    expect(rowsOf(20_000, 76).isFull).toBe(true);
    expect(rowsOf(100_000, 16).isFull).toBe(false);
    expect(rowsOf(1000, 100).isFull).toBe(false);
    // Of two buckets.
    expect(rowsOf(20_000, 76, 40_000).isFull).toBe(true);
  });
});
