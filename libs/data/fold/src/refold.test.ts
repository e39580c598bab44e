import { expect, test } from '@jest/globals';
import { KIND, type Kind } from '@tidemark/model';
import { finishAtOnce } from '@tidemark/ports';
import { type Frame, REFOLD_METHODS, refold } from './index.ts';

const NONE = Number.NaN;

function frame(values: readonly number[], kind: Kind = KIND.count): Frame {
  return {
    fromMs: 60_000,
    stepMs: 10_000,
    steps: values.length,
    series: [{ tags: ['h:a'], metric: 'm', kind, values: Float64Array.from(values) }],
  };
}

test.each([
  ['avg', 3, 7, KIND.gauge],
  ['sum', 6, 7, KIND.count],
  ['min', -1, 7, KIND.gauge],
  ['max', 7, 7, KIND.gauge],
  ['count', 2, 1, KIND.gauge],
  ['last', -1, 7, KIND.gauge],
] as const)('%s is of the steps that have a value', (method, first, second, kind) => {
  expect(REFOLD_METHODS).toContain(method);
  const folded = finishAtOnce(refold(frame([7, NONE, -1, 7, NONE, NONE, NONE, NONE, NONE]), method, 3));
  expect(folded).toMatchObject({ fromMs: 60_000, stepMs: 30_000, steps: 3 });
  expect(folded.series).toEqual([{ tags: ['h:a'], metric: 'm', kind, values: Float64Array.of(first, second, NONE) }]);
});

test('one step for each is the frame itself, and steps that do not fit are a mistake of the program', () => {
  expect(finishAtOnce(refold(frame([1, NONE]), 'max', 1)).series[0].values).toEqual(Float64Array.of(1, NONE));
  expect(() => finishAtOnce(refold(frame([1, 2, 3]), 'max', 2))).toThrow();
});
