import { describe, expect, test } from '@jest/globals';
import { KIND, type Kind } from '@tidemark/model';
import { finishAtOnce } from '@tidemark/ports';
import fc from 'fast-check';
import {
  applyFunction,
  arithmetic,
  asRate,
  FRAME_FUNCTION_NAMES,
  type Frame,
  type FunctionArgument,
  fill,
  negate,
  type Operand,
  top,
  type Work,
} from './index.ts';

const NONE = Number.NaN;

function frameOf(rows: Readonly<Record<string, readonly number[]>>, kind: Kind = KIND.gauge, stepMs = 10_000): Frame {
  const series = Object.entries(rows).map(([tags, values]) => ({
    tags: tags === '' ? [] : tags.split(','),
    metric: 'm',
    kind,
    values: Float64Array.from(values),
  }));
  return { fromMs: 0, stepMs, steps: series[0]?.values.length ?? 0, series };
}

function rowsOf(result: Operand | Work<Operand>): Record<string, number[]> {
  const operand = typeof result === 'object' && 'next' in result ? finishAtOnce(result) : result;
  if (typeof operand === 'number') throw new Error('a frame wanted');
  return Object.fromEntries(operand.series.map((series) => [series.tags.join(','), Array.from(series.values)]));
}

function one(values: readonly number[], name: string, ...args: FunctionArgument[]): number[] {
  return rowsOf(applyFunction(name, frameOf({ '': values }), args))[''];
}

describe('functions', () => {
  // Steps of 10 s; a gap at the second.
  const values = [2, NONE, 8, 4];
  test.each<readonly [string, FunctionArgument[], number[]]>([
    ['abs', [], [2, NONE, 8, 4]],
    ['log2', [], [1, NONE, 3, 2]],
    ['diff', [], [NONE, NONE, 6, -4]],
    ['dt', [], [NONE, NONE, 20, 10]],
    ['derivative', [], [NONE, NONE, 0.3, -0.4]],
    ['per_second', [], [NONE, NONE, 0.3, NONE]],
    ['per_minute', [], [NONE, NONE, 18, NONE]],
    ['per_hour', [], [NONE, NONE, 1080, NONE]],
    ['cumsum', [], [2, NONE, 10, 14]],
    ['integral', [], [0, NONE, 160, 200]],
    ['default_zero', [], [2, 0, 8, 4]],
    ['clamp_min', [3], [3, NONE, 8, 4]],
    ['clamp_max', [3], [2, NONE, 3, 3]],
    ['fill', ['linear', 20], [2, 5, 8, 4]],
    ['fill', ['linear', 19], [2, NONE, 8, 4]],
    ['fill', ['last', 10], [2, 2, 8, 4]],
    ['fill', ['zero', 10], [2, 0, 8, 4]],
    ['fill', ['null', 10], [2, NONE, 8, 4]],
  ])('%s(%j)', (name, args, expected) => {
    expect(one(values, name, ...args)).toEqual(expected);
  });

  test('logarithms have no value at or below zero', () => {
    expect(one([1000, 0, -1], 'log10')).toEqual([3, NONE, NONE]);
    expect(one([1024, 0, -1], 'log2')).toEqual([10, NONE, NONE]);
  });

  test('a fill reaches as far as its limit, and never before the first value', () => {
    const gaps = frameOf({ '': [NONE, 1, NONE, NONE, NONE] });
    expect(rowsOf(fill(gaps, 'last', 20))['']).toEqual([NONE, 1, 1, 1, NONE]);
    expect(rowsOf(fill(gaps, 'zero', 300))['']).toEqual([NONE, 1, 0, 0, 0]);
    expect(rowsOf(fill(gaps, 'linear', 300))['']).toEqual([NONE, 1, NONE, NONE, NONE]);
  });

  test('as_rate divides amounts by the seconds of a step, and leaves gauges alone', () => {
    expect(rowsOf(asRate(frameOf({ '': [20, NONE] }, KIND.count)))['']).toEqual([2, NONE]);
    expect(finishAtOnce(asRate(frameOf({ '': [20] }, KIND.counter))).series[0].kind).toBe(KIND.gauge);
    expect(rowsOf(asRate(frameOf({ '': [20, NONE] })))['']).toEqual([20, NONE]);
  });

  test('no function changes its input, and each keeps the steps', () => {
    const args: Readonly<Record<string, FunctionArgument[]>> = {
      fill: ['last', 60],
      clamp_min: [0],
      clamp_max: [0],
      top: [9, 'mean', 'desc'],
      bottom: [9, 'mean', 'asc'],
    };
    const row = fc.array(fc.oneof(fc.integer(), fc.constant(NONE)), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(fc.constantFrom(...FRAME_FUNCTION_NAMES), row, row, (name, a, b) => {
        const frame = frameOf({ 'h:a': a, 'h:b': b }, KIND.count);
        const result = finishAtOnce(applyFunction(name, frame, args[name]));
        expect(rowsOf(frame)).toEqual({ 'h:a': a, 'h:b': b });
        expect(result.series.map((series) => series.values.length)).toEqual([5, 5]);
        expect(Object.keys(rowsOf(result)).sort()).toEqual(['h:a', 'h:b']);
      }),
    );
  });
});

test('top ranks by each method, equal series by tags, and series without values last', () => {
  const frame = frameOf({ 'h:none': [NONE, NONE], 'h:b': [1, 5], 'h:a': [5, 1], 'h:c': [4, NONE] });
  const order = (...args: FunctionArgument[]) => Object.keys(rowsOf(applyFunction('top', frame, args)));
  expect(order(9, 'max', 'desc')).toEqual(['h:a', 'h:b', 'h:c', 'h:none']);
  expect(order(9, 'mean', 'desc')).toEqual(['h:c', 'h:a', 'h:b', 'h:none']);
  expect(order(9, 'area', 'desc')).toEqual(['h:a', 'h:b', 'h:c', 'h:none']);
  expect(order(9, 'last', 'desc')).toEqual(['h:b', 'h:c', 'h:a', 'h:none']);
  expect(order(2, 'min', 'asc')).toEqual(['h:a', 'h:b']);
  expect(rowsOf(top({ ...frame, series: [...frame.series].reverse() }, 9))).toEqual(rowsOf(top(frame, 9)));
  expect(Object.keys(rowsOf(applyFunction('bottom', frame, [1, 'last', 'asc'])))).toEqual(['h:a']);
});

describe('arithmetic', () => {
  test('joins by tags, and has a value where both sides have one', () => {
    const left = frameOf({ 'h:a': [1, 2], 'h:b': [3, NONE] });
    const right = frameOf({ 'h:b': [10, 10], 'h:c': [0, 0] });
    expect(rowsOf(arithmetic('-', left, right))).toEqual({ 'h:b': [-7, NONE] });
    expect(rowsOf(arithmetic('-', right, left))).toEqual({ 'h:b': [7, NONE] });
  });

  test('joins a series that is grouped by fewer keys with all that have its tags', () => {
    const fine = frameOf({ 'h:a,d:x': [8], 'h:a,d:y': [4], 'h:b,d:x': [6] });
    expect(rowsOf(arithmetic('/', fine, frameOf({ 'h:a': [2], 'h:b': [3] })))).toEqual({
      'h:a,d:x': [4],
      'h:a,d:y': [2],
      'h:b,d:x': [2],
    });
    expect(rowsOf(arithmetic('/', frameOf({ '': [24] }), fine))).toEqual({
      'h:a,d:x': [3],
      'h:a,d:y': [6],
      'h:b,d:x': [4],
    });
    // The order of keys in a grouping does not matter.
    expect(rowsOf(arithmetic('+', fine, frameOf({ 'd:x,h:a': [1] })))).toEqual({ 'h:a,d:x': [9] });
  });

  test('joins a number with all series, and a division by zero gives no value', () => {
    const frame = frameOf({ 'h:a': [4, 0, NONE] });
    expect(rowsOf(arithmetic('/', 2, frame))).toEqual({ 'h:a': [0.5, NONE, NONE] });
    expect(rowsOf(arithmetic('/', frame, 0))).toEqual({ 'h:a': [NONE, NONE, NONE] });
    expect(rowsOf(arithmetic('*', frame, 2))).toEqual({ 'h:a': [8, 0, NONE] });
    expect(finishAtOnce(arithmetic('-', 3, 1))).toBe(2);
    expect(rowsOf(negate(frame))).toEqual({ 'h:a': [-4, -0, NONE] });
  });

  test('refuses other steps, other keys, and two series of equal tags', () => {
    const refused = expect.objectContaining({ code: 'invalid_argument' });
    const frame = frameOf({ 'h:a': [1] });
    expect(() => finishAtOnce(arithmetic('+', frame, frameOf({ 'd:a': [1] })))).toThrow(refused);
    expect(() => finishAtOnce(arithmetic('+', frame, frameOf({ 'h:a': [1] }, KIND.gauge, 20_000)))).toThrow(refused);
    const [one] = frame.series;
    const twice: Frame = { ...frame, series: [one, { ...one, kind: KIND.count, storedKind: KIND.distribution }] };
    const message =
      'the right side of + has two series of m with tags {h:a}: a gauge (class reading) and a distribution (class ' +
      'distribution) (limit: one for each set of tags); filter by a tag that one of them lacks, or send them under two names';
    expect(() => finishAtOnce(arithmetic('+', frame, twice))).toThrow(
      expect.objectContaining({
        code: 'invalid_argument',
        message,
        detail: { field: 'kind', metric: 'm', tags: 'h:a', kinds: 'gauge,distribution' },
      }),
    );
    const fine = frameOf({ 'h:a,d:x': [8] });
    expect(() => finishAtOnce(arithmetic('+', twice, fine))).toThrow(
      /^the left side of \+ has two series of m with tags \{h:a\}/,
    );
  });
});
