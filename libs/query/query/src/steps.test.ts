import { describe, expect, test } from '@jest/globals';
import type { DescribedMetric } from '@tidemark/contract';
import { leavesOf, parseQuery } from '@tidemark/query-language';
import fc from 'fast-check';
import { mergeMetrics, mergeTagKeys } from './describe.ts';
import { automaticStepMs, defaultStepMs, stepsOf } from './steps.ts';

describe('steps', () => {
  test.each([
    [1, 1],
    [300, 1],
    [301, 2],
    [3_600, 15],
    [86_400, 300],
    [7 * 86_400, 3_600],
    [300 * 86_400, 86_400],
    [301 * 86_400, 2 * 86_400],
  ])('a range of %d s has steps of %d s', (rangeS, stepS) => {
    expect(defaultStepMs(rangeS * 1000)).toBe(stepS * 1000);
  });

  test.each([
    ['the default is a multiple of the interval', 3_600, [15_000], 15_000],
    ['a longer interval', 900, [15_000], 15_000],
    ['the next step of the ladder that fits', 3_600, [10_000], 20_000],
    ['a jittered interval', 900, [14_873.5], 15_000],
    ['two intervals', 900, [10_000, 15_000], 30_000],
    ['an interval that no step of the ladder fits', 3_600, [7_000], 21_000],
    ['intervals that nothing fits', 3_600, [7_000, 11_000], 22_000],
    ['below a second', 300, [100], 1_000],
    ['no interval known', 900, [0], 5_000],
    ['longer than the range', 60, [3_600_000], 1_000],
  ])('the automatic step: %s', (_, rangeS, intervalsMs, stepMs) => {
    expect(automaticStepMs(rangeS * 1000, intervalsMs)).toBe(stepMs);
  });

  test('a range is covered with whole, aligned steps and no more', () => {
    const [leaf] = leavesOf(parseQuery('avg:a{*}'));
    const time = fc.integer({ min: 0, max: 2_000_000_000_000 });
    fc.assert(
      fc.property(time, fc.integer({ min: 1, max: 3 * 366 * 86_400_000 }), (from, length) => {
        const { fromMs, toMs, stepMs, steps } = stepsOf(leaf, from, from + length, defaultStepMs(length));
        expect(fromMs % stepMs).toBe(0);
        expect(fromMs + steps * stepMs).toBe(toMs);
        expect(fromMs <= from && fromMs + stepMs > from).toBe(true);
        expect(toMs >= from + length && toMs - stepMs < from + length).toBe(true);
        expect(steps).toBeLessThanOrEqual(301);
      }),
    );
  });
});

describe('descriptions of several partitions', () => {
  test('descriptions are merged with all kinds, and with the counts of the partition with the most', () => {
    const older: DescribedMetric = { metric: 'b', classes: [1], series: 9, lastDayMs: 1, metadata: undefined };
    const newer: DescribedMetric = { metric: 'b', classes: [3, 1], series: 7, lastDayMs: 2, metadata: undefined };
    const other: DescribedMetric = { metric: 'a', classes: [2], series: 1, lastDayMs: 1, metadata: undefined };
    const merged = { metric: 'b', classes: [1, 3], series: 9, lastDayMs: 2, metadata: undefined };
    const parts = (first: DescribedMetric, second: DescribedMetric) => [
      { partition: 0, metrics: [first] },
      { partition: 1, metrics: [other, second] },
    ];
    expect(mergeMetrics(parts(older, newer), () => [1, 0])).toEqual([other, merged]);
    const stated = (one: DescribedMetric, unit: string) => ({
      ...one,
      metadata: { user: { unit }, protocol: undefined, implied: undefined },
    });
    const unitOf = (...owners: number[]) =>
      mergeMetrics(parts(stated(older, 'a'), stated(newer, 'b')), () => owners)[1].metadata?.user?.unit;
    expect([unitOf(0, 1), unitOf(1, 0)]).toEqual(['a', 'b']);
  });

  test('descriptions list the most frequent values and count all of them', () => {
    const key = (values: number, top: [string, number][]) => ({
      key: 'host',
      values,
      series: 5,
      top: top.map(([value, series]) => ({ value, series })),
    });
    const [merged] = mergeTagKeys(
      [
        [
          key(2, [
            ['a', 1],
            ['b', 4],
          ]),
        ],
        [
          key(2, [
            ['c', 3],
            ['a', 2],
          ]),
        ],
      ],
      2,
    );
    expect(merged).toEqual({
      ...key(3, [
        ['b', 4],
        ['c', 3],
      ]),
      series: 5,
    });
  });
});
