import { expect, test } from '@jest/globals';
import { DDSketch } from '@tidemark/sketch';
import { SPACE_FOLD } from './fold.ts';
import { SpacePartial } from './space-partial.ts';
import { wideQuantiles } from './wide-quantiles.ts';

function partialOf(...steps: readonly (readonly number[])[]): SpacePartial {
  const partial = new SpacePartial(SPACE_FOLD.sketch, steps.length);
  steps.forEach((values, i) => {
    const sketch = new DDSketch();
    for (const value of values) sketch.insert(value);
    partial.sketches[i] = sketch;
  });
  return partial;
}

/** Values in more buckets than a sketch has: the lowest ones, up to about 2^-16, share one. */
const WIDE = Array.from({ length: 6000 }, (_, i) => 1.03 ** (i - 3000));

test('a quantile in a collapsed bucket is found, with the bounds that hold', () => {
  const found = wideQuantiles(partialOf(WIDE, [1, 2], WIDE), 0.1);
  const truth = WIDE[599];
  expect(found?.steps).toBe(2);
  expect(found?.low).toBeLessThanOrEqual(truth);
  expect(found?.high).toBeGreaterThanOrEqual(truth);
});

test('a quantile outside of collapsed buckets, of any sign, is as exact as promised', () => {
  expect(wideQuantiles(partialOf(WIDE), 0.99)).toBeUndefined();
  const values = Array.from({ length: 999 }, (_, i) => (i - 500) * 1.7);
  for (const q of [0, 0.001, 0.2, 0.5, 0.777, 1]) expect(wideQuantiles(partialOf(values, []), q)).toBeUndefined();
  expect(wideQuantiles(partialOf([3.4e38, ...values]), 0.5)).toBeUndefined();
});
