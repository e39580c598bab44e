import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PointColumns } from './point-columns.ts';
import { PointSorter } from './point-sorter.ts';

const pair = fc.tuple(fc.nat(6), fc.nat(4));
/** Ascending runs, as of requests, or pairs in any order. */
const pairs = fc.oneof(
  fc.array(pair, { maxLength: 300 }),
  fc
    .array(fc.array(pair, { maxLength: 40 }), { maxLength: 6 })
    .map((runs) => runs.flatMap((run) => run.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]))),
  // Runs that are apart, in any order, or that touch in a point.
  fc
    .tuple(fc.shuffledSubarray([...Array(9).keys()]), fc.constantFrom(5, 6, 7))
    .map(([runs, step]) =>
      runs.flatMap((run) => [...Array(7).keys()].map((i): [number, number] => [run * step + i, 0])),
    ),
);

test('sorts by ref, then time, keeps the order of equal points, and does not change its input', () => {
  const sorter = new PointSorter();
  fc.assert(
    fc.property(pairs, (list) => {
      const points = new PointColumns(0);
      for (const [i, [ref, timeMs]] of list.entries()) points.push(ref, timeMs, i);
      const sorted = sorter.sort(points);
      const expected = list
        .map(([ref, timeMs], i) => [ref, timeMs, i])
        .sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
      expect(
        Array.from({ length: sorted.length }, (_, i) => [sorted.refs[i], sorted.timesMs[i], sorted.values[i]]),
      ).toEqual(expected);
      expect([...points.values.subarray(0, points.length)]).toEqual(list.map((_, i) => i));
    }),
  );
});

test('returns points that are in order themselves', () => {
  const points = new PointColumns();
  for (const ref of [1, 1, 2]) points.push(ref, 5, 0);
  expect(new PointSorter().sort(points)).toBe(points);
});
