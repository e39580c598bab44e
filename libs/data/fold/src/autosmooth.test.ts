import { expect, test } from '@jest/globals';
import { finishAtOnce } from '@tidemark/ports';
import { autosmooth, longestSmoothSpan } from './autosmooth.ts';
import { frameOf, rowsOf } from './testing/frame-of.ts';

/** A wave of one turn with noise that repeats after 7 steps. */
const NOISY = Array.from({ length: 330 }, (_, i) => 10 * Math.sin((i / 330) * 2 * Math.PI) + ((i * 5) % 7) - 3);

function roughness(values: readonly number[]): number {
  return values.slice(1).reduce((sum, value, i) => sum + Math.abs(value - values[i]), 0);
}

test('noise is averaged away, the trend stays', () => {
  const before = longestSmoothSpan(300) - 1;
  const [smooth] = Object.values(rowsOf(autosmooth(frameOf({ '': NOISY }), before)));
  expect(roughness(smooth.slice(before))).toBeLessThan(roughness(NOISY.slice(before)) / 20);
  expect(Math.max(...smooth)).toBeGreaterThan(9);
});

test('a spike that averaging would hide stays as it is', () => {
  const spike = Array.from({ length: 100 }, (_, i) => (i === 50 ? 1000 : i % 2));
  expect(rowsOf(autosmooth(frameOf({ '': spike }), 0))['']).toEqual(spike);
});

test('gaps, constants and frames without series stay as they are', () => {
  const flat = Array.from({ length: 50 }, (_, i) => (i % 9 === 0 ? Number.NaN : 4));
  expect(rowsOf(autosmooth(frameOf({ '': flat }), 0))['']).toEqual(flat);
  expect(finishAtOnce(autosmooth({ ...frameOf({}), steps: 50 }, 0)).series).toEqual([]);
});
