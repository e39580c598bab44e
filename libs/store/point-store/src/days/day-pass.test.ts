import { expect, test } from '@jest/globals';
import { DayPass } from './day-pass.ts';

/** Adds points to series of a pass, as far as it reads them. */
function add(pass: DayPass<{ size: number }>, series: Iterable<number>, points: number): void {
  for (const one of series) {
    if (!pass.has(one)) continue;
    pass.of(one, () => ({ size: 0 })).size += points;
    pass.added(points);
  }
}

test('gives up the last series of the order while there are more than twice the points, and keeps one', () => {
  const order = Uint32Array.of(7, 3, 9, 1, 5);
  const pass = new DayPass<{ size: number }>(order, 100);
  add(pass, order, 40);
  expect([[...pass.series], pass.points]).toEqual([[7, 3, 9, 1, 5], 200]);
  add(pass, [1], 1);
  expect([[...pass.series], pass.points]).toEqual([[7, 3, 9], 120]);
  expect([1, 5, 2].map((series) => pass.has(series))).toEqual([false, false, false]);
  add(pass, order, 1000);
  expect([[...pass.series], pass.points]).toEqual([[7], 1040]);
  expect([7, 3].map((series) => pass.take(series)?.size)).toEqual([1040, undefined]);
});
