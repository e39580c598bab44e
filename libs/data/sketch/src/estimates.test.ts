import { describe, expect, test } from '@jest/globals';
import { DDSketch } from './ddsketch.ts';
import { minMagnitude, quantileOf, shareOf } from './estimates.ts';

function sketchOf(...values: number[]): DDSketch {
  const sketch = new DDSketch();
  for (const value of values) sketch.insert(value);
  return sketch;
}

describe('quantileOf', () => {
  test('gives an estimate within alpha of the true value, between bounds that contain it, on both sides of zero', () => {
    const values = [-300, -20, -1.5, 0, 0, 2.5, 70, 900, 12_000];
    const sketch = sketchOf(...values);
    for (const [i, value] of values.entries()) {
      // The rank is rounded up: from the rank before, a quantile is of this value.
      for (const rank of [i + 1, i + 0.1]) {
        const estimate = quantileOf(sketch, rank / values.length);
        expect(Math.abs(estimate.value - value)).toBeLessThanOrEqual(Math.abs(value) * sketch.alpha);
        expect(estimate.low).toBeLessThanOrEqual(value);
        expect(estimate.high).toBeGreaterThanOrEqual(value);
      }
    }
  });

  test('gives the exact minimum at 0, the exact maximum at 1, and exact zeros', () => {
    const sketch = sketchOf(-17.3, 0, 0, 41.9);
    expect(quantileOf(sketch, 0)).toEqual({ value: -17.3, low: -17.3, high: -17.3 });
    expect(quantileOf(sketch, 0.5)).toEqual({ value: 0, low: 0, high: 0 });
    expect(quantileOf(sketch, 1)).toEqual({ value: 41.9, low: 41.9, high: 41.9 });
  });

  test('keeps the estimate and its bounds between the minimum and the maximum', () => {
    const sketch = sketchOf(100, 100, 100);
    expect(quantileOf(sketch, 0.5)).toEqual({ value: 100, low: 100, high: 100 });
  });

  test('gives NaN three times for an empty sketch, and refuses a quantile outside of 0 to 1', () => {
    const none = Number.NaN;
    expect(quantileOf(new DDSketch(), 0.5)).toEqual({ value: none, low: none, high: none });
    for (const q of [-0.01, 1.01, none]) {
      expect(() => quantileOf(new DDSketch(), q)).toThrow(
        expect.objectContaining({ code: 'invalid_argument', detail: { field: 'q', limit: '0 to 1' } }),
      );
    }
  });
});

describe('shareOf', () => {
  test('gives the exact share between two buckets, and bounds that contain it inside a bucket', () => {
    const sketch = sketchOf(-300, -20, 0, 2.5, 70);
    for (const [value, share] of [
      [-100, 0.2],
      [-1, 0.4],
      [0, 0.6],
      [1, 0.6],
      [10, 0.8],
    ]) {
      expect(shareOf(sketch, value)).toEqual({ share, low: share, high: share });
    }
    const { share, low, high } = shareOf(sketch, 2.5);
    expect([low, high]).toEqual([0.6, 0.8]);
    expect(share).toBeGreaterThan(0.6);
    expect(share).toBeLessThanOrEqual(0.8);
  });

  test('gives 0 below the minimum and 1 from the maximum on, although the bucket has other magnitudes', () => {
    const sketch = sketchOf(100, 200);
    expect(shareOf(sketch, 99.999)).toEqual({ share: 0, low: 0, high: 0 });
    expect(shareOf(sketch, 200)).toEqual({ share: 1, low: 1, high: 1 });
  });

  test('gives NaN three times for an empty sketch, and refuses NaN', () => {
    const none = Number.NaN;
    expect(shareOf(new DDSketch(), 1)).toEqual({ share: none, low: none, high: none });
    expect(() => shareOf(sketchOf(1), none)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

test('minMagnitude is above 0 and at most the lowest magnitude, also of a collapsed store', () => {
  const sketch = sketchOf(5, 80);
  const low = minMagnitude(sketch.mapping, sketch.positive);
  expect(low).toBeLessThan(5);
  expect(low).toBeGreaterThan(5 * (1 - 3 * sketch.alpha));
  const wide = sketchOf(...Array.from({ length: 8000 }, (_, i) => 2 ** (i / 5 - 1000)));
  expect(wide.positive.collapsed).toBe(true);
  expect(minMagnitude(wide.mapping, wide.positive)).toBe(Number.MIN_VALUE);
});
