import { expect, test } from '@jest/globals';
import { nearestRank } from './nearest-rank.ts';

test.each([
  [0, 10, 1],
  [0.5, 10, 5],
  [0.5, 11, 6],
  [0.95, 10, 10],
  [0.95, 20, 19],
  [0.95, 21, 20],
  [0.99, 2, 2],
  [0.07, 100, 7],
  [0.29, 100, 29],
  [1, 3, 3],
])('the rank of %p among %p values is %p', (q, count, rank) => {
  expect(nearestRank(q, count)).toBe(rank);
});

test('a whole percentage of 100 values is its own rank', () => {
  for (let percent = 1; percent <= 100; percent++) expect(nearestRank(percent / 100, 100)).toBe(percent);
});
