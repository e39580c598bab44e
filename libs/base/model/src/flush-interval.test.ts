import { expect, test } from '@jest/globals';
import { derivedFlushIntervalMs, maxFlushIntervalMs } from './flush-interval.ts';

test('the derived interval is a third of D, between 100 ms and 10 s', () => {
  const intervals = [0, 300, 1000, 3000, 20_000, 60_000].map(derivedFlushIntervalMs);
  expect(intervals).toEqual([100, 100, 333, 1000, 6666, 10_000]);
});

test('the longest interval leaves a third of D', () => {
  expect([0, 300, 3000, 20_000].map(maxFlushIntervalMs)).toEqual([0, 200, 2000, 13_333]);
});
