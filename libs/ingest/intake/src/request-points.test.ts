import { expect, test } from '@jest/globals';
import { POINT_BYTES, SKETCH_BYTES } from './request-limits.ts';
import { RequestPoints } from './request-points.ts';

function lent(...values: number[]) {
  const timesMs = Float64Array.from(values, () => 5);
  return { refs: Uint32Array.from(values, () => 1), timesMs, values: Float64Array.from(values), length: values.length };
}

function valuesOf({ numbers: { values, length } }: RequestPoints): number[] {
  return [...values.subarray(0, length)];
}

test('lent columns are read in place until they are copied', () => {
  const points = new RequestPoints();
  const columns = lent(1, 2);
  points.addNumbers(columns);
  expect(points.numbers).toBe(columns);
  points.own();
  columns.values.fill(9);
  expect(valuesOf(points)).toEqual([1, 2]);
});

test('numbers keep the order in which they were added, lent or not', () => {
  const points = new RequestPoints();
  points.addNumbers(lent(1, 2));
  points.addNumber(3, 5, 3);
  points.addNumbers(lent(4));
  expect(valuesOf(points)).toEqual([1, 2, 3, 4]);
  const alone = new RequestPoints();
  alone.addNumber(3, 5, 1);
  alone.addNumbers(lent(2));
  expect(valuesOf(alone)).toEqual([1, 2]);
});

test('points and bytes are counted and released', () => {
  const points = new RequestPoints();
  points.addNumbers(lent(1, 2));
  points.addSketch(1, 5, new Uint8Array(10));
  expect([points.count, points.sizeBytes]).toEqual([3, 3 * POINT_BYTES + SKETCH_BYTES + 10]);
  points.clear();
  expect(points.count).toBe(0);
});
