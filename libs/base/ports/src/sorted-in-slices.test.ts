import { expect, test } from '@jest/globals';
import { finishAtOnce } from './sliced-work.ts';
import { sortedInSlices } from './sorted-in-slices.ts';

test.each([0, 1, 511, 512, 513, 1024, 1025, 5000])('%i elements are sorted, equal ones in their order', (count) => {
  const elements = Array.from({ length: count }, (_, i) => ({ key: (i * 7919) % 301, i }));
  const compare = (a: { key: number }, b: { key: number }) => a.key - b.key;
  expect(finishAtOnce(sortedInSlices(elements, compare))).toEqual(elements.toSorted(compare));
  expect(elements.map(({ i }) => i)).toEqual(elements.map((_, i) => i));
});

test('many elements are many pieces', () => {
  const costs: number[] = [];
  const elements = Array.from({ length: 100_000 }, (_, i) => -i);
  const work = sortedInSlices(elements, (a, b) => a - b);
  for (let step = work.next(); step.done !== true; step = work.next()) costs.push(step.value);
  expect(Math.max(...costs)).toBeLessThan(10_000);
});
