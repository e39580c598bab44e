import { describe, expect, test } from '@jest/globals';
import { exceeds, growthOf } from './growth.ts';

const MINUTE_MS = 60_000;

/** Samples of a minute each: `perMinute` growth, and noise that alternates. */
function samples(count: number, perMinute: number, noise = 0): { atMs: number; value: number }[] {
  return Array.from({ length: count }, (_, i) => ({
    atMs: i * MINUTE_MS,
    value: 1000 + i * perMinute + (i % 2 === 0 ? noise : -noise),
  }));
}

describe('the growth of a figure', () => {
  test('is the slope of its samples, per hour', () => {
    const { perHour, errorPerHour } = growthOf(samples(10, 5));
    expect(perHour).toBeCloseTo(300);
    expect(errorPerHour).toBeCloseTo(0);
  });

  test('exceeds a limit below it, and no limit above it', () => {
    const growth = growthOf(samples(10, 5));
    expect(exceeds(growth, 299)).toBe(true);
    expect(exceeds(growth, 301)).toBe(false);
  });

  test('does not exceed a limit by noise alone', () => {
    expect(exceeds(growthOf(samples(10, 0, 500)), 0)).toBe(false);
    expect(exceeds(growthOf(samples(10, 500, 500)), 0)).toBe(true);
  });

  test('counts as excess when it is unknown', () => {
    expect(exceeds(growthOf([]), 1e9)).toBe(true);
    expect(exceeds(growthOf(samples(2, 0)), 1e9)).toBe(true);
  });
});
