import { expect, test } from '@jest/globals';
import { SERIES_CLASS, STALE_MARKER } from '@tidemark/model';
import { sketchOf } from '@tidemark/point-log/testing';
import type { ArchivedSeries } from './archived-series.ts';
import { csvRows, jsonLines, textLines } from './point-lines.ts';

const series: ArchivedSeries = {
  ...{ day: 1, tenant: 'acme', metric: 'shop.orders', seriesClass: SERIES_CLASS.reading, id: Buffer.alloc(16, 1) },
  tags: ['env:test', 'query:a,"b"\n'],
  timesMs: Float64Array.of(86_400_000, 86_400_500, 86_401_000),
  values: Float64Array.of(0.1, Number.NEGATIVE_INFINITY, STALE_MARKER),
  sketches: undefined,
};
const ID = '01'.repeat(16);
const distribution: ArchivedSeries = {
  ...{ ...series, seriesClass: SERIES_CLASS.distribution, tags: undefined, values: undefined },
  ...{ timesMs: Float64Array.of(86_400_000), sketches: [sketchOf(2.5)] },
};

test('points are lines of text', () => {
  expect([...textLines(series), ...textLines(distribution)]).toEqual([
    '1970-01-02T00:00:00.000Z shop.orders{env:test,query:a,"b"\\n} 0.1',
    '1970-01-02T00:00:00.500Z shop.orders{env:test,query:a,"b"\\n} -Infinity',
    '1970-01-02T00:00:01.000Z shop.orders{env:test,query:a,"b"\\n} stale',
    `1970-01-02T00:00:00.000Z shop.orders{series ${ID}} count 1 sum 2.5 min 2.5 max 2.5`,
  ]);
});

test('points are lines of JSON', () => {
  const name = { tenant: 'acme', metric: 'shop.orders', series: ID };
  const reading = { ...name, class: 'reading', tags: series.tags };
  expect([...jsonLines(series), ...jsonLines(distribution)].map((line) => JSON.parse(line))).toEqual([
    { ...reading, time: '1970-01-02T00:00:00.000Z', value: 0.1 },
    { ...reading, time: '1970-01-02T00:00:00.500Z', value: '-Infinity' },
    { ...reading, time: '1970-01-02T00:00:01.000Z', value: 'stale' },
    { ...name, class: 'distribution', time: '1970-01-02T00:00:00.000Z', count: 1, sum: 2.5, min: 2.5, max: 2.5 },
  ]);
});

test('points are lines of CSV', () => {
  expect([...csvRows(series)][0]).toBe(
    `1970-01-02T00:00:00.000Z,acme,shop.orders,reading,${ID},"[""env:test"",""query:a,\\""b\\""\\n""]",0.1,,,,`,
  );
  expect([...csvRows(distribution)]).toEqual([
    `1970-01-02T00:00:00.000Z,acme,shop.orders,distribution,${ID},,,1,2.5,2.5,2.5`,
  ]);
});
