import { expect, it } from '@jest/globals';
import { SharedTimes } from './shared-times.ts';

it('refuses times that no page may have', () => {
  expect(() => new SharedTimes(Float64Array.of())).toThrow('1 to 4096 times, not 0');
  expect(() => new SharedTimes(Float64Array.of(5, 4))).toThrow('do not descend');
  expect(() => new SharedTimes(Float64Array.of(0.5))).toThrow('no time of a point: 0.5');
});
