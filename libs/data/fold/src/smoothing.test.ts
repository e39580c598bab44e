import { describe, expect, test } from '@jest/globals';
import { finishAtOnce } from '@tidemark/ports';
import fc from 'fast-check';
import { applyRangeFunction, dropSteps, historyOf, RANGE_FUNCTION_NAMES } from './index.ts';
import { MOVING_METHODS } from './method-names.ts';
import { ewma, movingMedian, movingRollup } from './smoothing.ts';
import { frameOf, rowsOf } from './testing/frame-of.ts';

const NONE = Number.NaN;

describe('smoothing', () => {
  test('ewma weighs older values by powers of 1 - 2 / (span + 1), and leaves gaps', () => {
    expect(rowsOf(ewma(frameOf({ '': [4, 8, NONE, 2] }), 3))['']).toEqual([
      4,
      (8 + 4 / 2) / 1.5,
      NONE,
      (2 + 8 / 4 + 4 / 8) / (1 + 1 / 4 + 1 / 8),
    ]);
    expect(rowsOf(ewma(frameOf({ '': [4, 8] }), 1))['']).toEqual([4, 8]);
  });

  test('a median is that of the values of its steps', () => {
    expect(rowsOf(movingMedian(frameOf({ '': [9, 1, 5, NONE, 7, -20] }), 3))['']).toEqual([9, 5, 5, NONE, 6, -6.5]);
  });

  test('a moving rollup combines the last steps, also where the own one has no value', () => {
    const frame = frameOf({ '': [1, NONE, 5, 3, NONE, NONE, NONE] });
    const of = (method: (typeof MOVING_METHODS)[number]) => rowsOf(movingRollup(frame, 3, method))[''];
    expect(of('sum')).toEqual([1, 1, 6, 8, 8, 3, NONE]);
    expect(of('avg')).toEqual([1, 1, 3, 4, 4, 3, NONE]);
    expect(of('min')).toEqual([1, 1, 1, 3, 3, 3, NONE]);
    expect(of('max')).toEqual([1, 1, 5, 5, 5, 3, NONE]);
    expect(of('count')).toEqual([1, 1, 2, 2, 2, 1, NONE]);
  });

  test('a moving rollup is what its window says, for any window and start', () => {
    const values = fc.array(fc.oneof(fc.integer({ min: -99, max: 99 }), fc.constant(NONE)), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 12 }), fc.nat(40), (row, window, start) => {
        const sums = rowsOf(movingRollup(frameOf({ '': row }, 1000, start * 1000), window, 'sum'))[''];
        const expected = row.map((_, i) => {
          const within = row.slice(Math.max(0, i - window + 1), i + 1).filter((value) => !Number.isNaN(value));
          return within.length === 0 ? NONE : within.reduce((a, b) => a + b, 0);
        });
        expect(sums).toEqual(expected);
      }),
    );
  });
});

const SMOOTHING = RANGE_FUNCTION_NAMES.filter((name) => /^(ewma|median|rollingavg|moving)/.test(name));

test('a smoothed step has the same value, to the last bit, wherever the range begins', () => {
  const value = fc.oneof({ weight: 5, arbitrary: fc.double({ min: -1e9, max: 1e9, noNaN: true }) }, fc.constant(NONE));
  const row = fc.array(value, { minLength: 140, maxLength: 160 });
  const method = fc.constantFrom(...MOVING_METHODS);
  fc.assert(
    fc.property(fc.constantFrom(...SMOOTHING), row, fc.nat(20), fc.nat(50), method, (name, values, later, at, how) => {
      const args = name === 'moving_rollup' ? [90, how] : [];
      const history = historyOf(name, { stepMs: 10_000, steps: 10, isCalendar: false }, args);
      const apply = (from: number) => {
        const frame = dropSteps(frameOf({ '': values }, 10_000, at * 10_000), from);
        return dropSteps(finishAtOnce(applyRangeFunction(name, frame, args, 0)) ?? frame, history);
      };
      const whole = dropSteps(apply(0), later);
      const part = apply(later);
      expect(part.fromMs).toBe(whole.fromMs);
      expect(rowsOf(part)).toEqual(rowsOf(whole));
    }),
  );
});
