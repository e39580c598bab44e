import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { frameOf, rowsOf } from './testing/frame-of.ts';
import { piecewiseConstant, robustTrend, trendLine } from './trends.ts';

const NONE = Number.NaN;

function close(found: readonly number[], wanted: readonly number[]): void {
  expect(found).toHaveLength(wanted.length);
  found.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i], 6);
  });
}

describe('trends', () => {
  test('a line is found again, across gaps', () => {
    fc.assert(
      fc.property(fc.integer({ min: -50, max: 50 }), fc.integer({ min: -9, max: 9 }), (level, slope) => {
        const line = Array.from({ length: 20 }, (_, i) => level + slope * i);
        const gaps = line.map((value, i) => (i % 3 === 1 ? NONE : value));
        close(rowsOf(trendLine(frameOf({ '': gaps })))[''], line);
        close(rowsOf(robustTrend(frameOf({ '': gaps })))[''], line);
      }),
    );
    expect(rowsOf(trendLine(frameOf({ a: [NONE, 4, NONE], b: [NONE, NONE, NONE] })))).toEqual({
      a: [4, 4, 4],
      b: [NONE, NONE, NONE],
    });
  });

  test('least squares follow an outlier, the robust line hardly does', () => {
    const values = Array.from({ length: 40 }, (_, i) => i + (i % 2) * 0.1 + (i === 38 ? 500 : 0));
    const last = (rows: Record<string, number[]>) => rows[''][39];
    expect(last(rowsOf(trendLine(frameOf({ '': values }))))).toBeGreaterThan(70);
    expect(Math.abs(last(rowsOf(robustTrend(frameOf({ '': values })))) - 39)).toBeLessThan(0.5);
  });

  test('steps of a calendar are weighed by their time', () => {
    const frame = { ...frameOf({ '': [0, 31, 59] }, 31), startsMs: [0, 31, 59, 90] };
    close(rowsOf(trendLine(frame))[''], [0, 31, 59]);
  });

  test('a staircase is found, with noise on it and without', () => {
    const stairs = [3, 3, 3, 3, 3, 9, 9, 9, 9, 9, 1, 1, 1, 1, NONE, 1];
    close(
      rowsOf(piecewiseConstant(frameOf({ '': stairs })))[''].filter((v) => !Number.isNaN(v)),
      [...stairs.filter((v) => !Number.isNaN(v))],
    );
    const noisy = Array.from({ length: 60 }, (_, i) => (i < 30 ? 10 : 50) + ((i * 7) % 5) - 2);
    const found = new Set(rowsOf(piecewiseConstant(frameOf({ '': noisy })))['']);
    expect([...found]).toEqual([10, 50]);
    expect(rowsOf(piecewiseConstant(frameOf({ '': [NONE] })))['']).toEqual([NONE]);
  });
});
