import { expect, test } from '@jest/globals';
import { IntervalCounts } from './interval-counts.ts';

test('a series in ten may report less often than usual', () => {
  const counts = new IntervalCounts();
  for (let i = 0; i < 9; i++) counts.add(10_000);
  counts.add(3_600_000);
  counts.add(0);
  expect(counts.usualMs).toBe(10_000);
  expect(counts.longestMs).toBe(3_600_000);
  counts.add(60_000);
  expect(counts.usualMs).toBe(60_000);
});

test('without a known interval there is none', () => {
  const counts = new IntervalCounts();
  counts.add(0);
  expect(counts.usualMs).toBe(0);
  expect(counts.longestMs).toBe(0);
});
