import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { orderPoints, orderSketches } from './column-order.ts';
import { PointColumns, SketchColumns } from './point-columns.ts';

/** Refs that are dense, or too far apart to be counted. */
const pairs = fc
  .tuple(fc.array(fc.tuple(fc.nat(6), fc.nat(4)), { maxLength: 200 }), fc.constantFrom(1, 1_000_000))
  .map(([list, factor]) => list.map(([ref, timeMs]): [number, number] => [ref * factor, timeMs]));

test('points are sorted by ref, then time, and equal ones are merged into their sum or the last', () => {
  fc.assert(
    fc.property(pairs, fc.boolean(), (list, sums) => {
      const points = new PointColumns(0);
      const expected = new Map<string, [number, number, number]>();
      for (const [i, [ref, timeMs]] of list.entries()) {
        points.push(ref, timeMs, i);
        const before = expected.get(`${ref}/${timeMs}`)?.[2] ?? 0;
        expected.set(`${ref}/${timeMs}`, [ref, timeMs, sums ? before + i : i]);
      }
      const ordered = orderPoints(points, () => sums);
      const found = Array.from({ length: ordered.length }, (_, i) => [
        ordered.refs[i],
        ordered.timesMs[i],
        ordered.values[i],
      ]);
      expect(found).toEqual([...expected.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1]));
    }),
  );
});

test('sketches are sorted by ref, then time, and equal ones keep their order', () => {
  fc.assert(
    fc.property(pairs, (list) => {
      const sketches = new SketchColumns(0);
      for (const [i, [ref, timeMs]] of list.entries()) sketches.push(ref, timeMs, Uint8Array.of(i));
      const ordered = orderSketches(sketches);
      const found = Array.from({ length: ordered.length }, (_, i) => [
        ordered.refs[i],
        ordered.timesMs[i],
        ordered.payloads[i][0],
      ]);
      const expected = list.map(([ref, timeMs], i) => [ref, timeMs, i]);
      expect(found).toEqual(expected.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]));
    }),
  );
});

test('columns in order are returned themselves', () => {
  const points = new PointColumns();
  const sketches = new SketchColumns();
  for (const ref of [1, 2, 3]) {
    points.push(ref, 5, 0);
    sketches.push(ref, 5, Uint8Array.of(1));
  }
  expect(orderPoints(points, () => false)).toBe(points);
  expect(orderSketches(sketches)).toBe(sketches);
});
