import { expect, test } from '@jest/globals';
import { fairSlicing } from './fair-slicing.ts';

test('a slice is as long as the turn of the others before it, within bounds', async () => {
  let nowMs = 0;
  let othersMs = 0;
  const slicing = fairSlicing({
    clock: { monotonicMs: () => nowMs },
    yieldTurn: async () => {
      nowMs += othersMs;
    },
  });
  const slices: (number | undefined)[] = [slicing.sliceMs];
  for (othersMs of [0, 1, 10, 60, 2]) {
    await slicing.yieldTurn();
    slices.push(slicing.sliceMs);
  }
  expect(slices).toEqual([4, 4, 4, 10, 20, 4]);
});
