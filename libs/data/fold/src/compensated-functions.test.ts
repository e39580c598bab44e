import { expect, test } from '@jest/globals';
import { cumsum, integral, RANK_METHODS, reduceToStep, refold, regroup } from './index.ts';
import { frameOf, rowsOf } from './testing/frame-of.ts';

/** Values that cancel: added one after the other, the small ones are lost. Their sum is 4, their average 1. */
const CANCELLING = [1e17, 3, -1e17, 1];
const HUGE = [1.5e308, 1.5e308, -1.5e308, -1.4e308];
const LATER = CANCELLING.map(() => Number.NaN);

const overSeries = (values: readonly number[]) =>
  frameOf(Object.fromEntries(values.map((value, i) => [`h:${i}`, [value]])));

test('a fold of finished series over space is compensated, and its average does not overflow', () => {
  const fold = (name: 'sum' | 'avg' | 'stddev', values: readonly number[]) =>
    rowsOf(regroup(overSeries(values), { type: 'method', name }, []))[''][0];
  expect([fold('sum', CANCELLING), fold('avg', CANCELLING)]).toEqual([4, 1]);
  expect(fold('avg', HUGE)).toBeCloseTo(0.025e308, -300);
  expect(fold('avg', [1.5e308, 1.5e308])).toBe(1.5e308);
  expect(fold('stddev', [1e9, 1e9 + 1, 1e9 + 2, 1e9 + 3])).toBe(Math.sqrt(1.25));
});

test('a second rollup is compensated, and its average does not overflow', () => {
  const frame = frameOf({ a: [...CANCELLING, ...LATER, 1.5e308, 1.5e308, Number.NaN, Number.NaN] });
  expect(rowsOf(refold(frame, 'sum', 4)).a.slice(0, 2)).toEqual([4, Number.NaN]);
  expect(rowsOf(refold(frame, 'avg', 4)).a).toEqual([1, Number.NaN, 1.5e308]);
});

test('a rank is of compensated sums', () => {
  const rank = (method: (typeof RANK_METHODS)[number], values: readonly number[]) =>
    rowsOf(reduceToStep(frameOf({ a: values }), method, 0, 1000)).a[0];
  const stepS = frameOf({ a: [1] }).stepMs / 1000;
  expect([rank('sum', CANCELLING), rank('mean', CANCELLING), rank('area', CANCELLING)]).toEqual([4, 1, 4 * stepS]);
  expect(rank('l2norm', [2 ** 53, 2 ** 27, 2 ** 27])).toBe(Math.sqrt(2 ** 106 + 2 ** 55));
  expect(rank('mean', [1.5e308, 1.5e308])).toBe(1.5e308);
  for (const method of RANK_METHODS) expect(rank(method, LATER)).toBe(Number.NaN);
});

test('running sums are compensated', () => {
  const frame = frameOf({ a: [...CANCELLING, Number.NaN, 0.5] });
  const stepS = frame.stepMs / 1000;
  expect(rowsOf(cumsum(frame)).a).toEqual([1e17, 1e17, 3, 4, Number.NaN, 4.5]);
  expect(rowsOf(integral(frameOf({ a: [0, ...CANCELLING] }))).a[4]).toBe(4 * stepS);
});

test('infinities stay infinite, and opposite ones have no sum', () => {
  const sum = (...values: number[]) => rowsOf(regroup(overSeries(values), { type: 'method', name: 'sum' }, []))[''][0];
  expect([sum(1 / 0, 5), sum(-1 / 0, 1e308), sum(1 / 0, -1 / 0)]).toEqual([1 / 0, -1 / 0, Number.NaN]);
});
