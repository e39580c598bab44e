import { expect, test } from '@jest/globals';
import { finishAtOnce } from '@tidemark/ports';
import { applyRangeFunction, type FunctionArgument } from './index.ts';
import { frameOf, rowsOf } from './testing/frame-of.ts';

const NONE = Number.NaN;

function apply(name: string, rows: Readonly<Record<string, readonly number[]>>, ...args: FunctionArgument[]) {
  const frame = finishAtOnce(applyRangeFunction(name, frameOf(rows), args, 0));
  if (frame === undefined) throw new Error(`no function ${name}`);
  return rowsOf(frame);
}

test.each<readonly [string, FunctionArgument[], number[], number[]]>([
  ['cutoff_min', [2], [1, 2, NONE, 3], [NONE, 2, NONE, 3]],
  ['cutoff_max', [2], [1, 2, NONE, 3], [1, 2, NONE, NONE]],
  ['round', [0], [0.5, -0.5, 2.4, NONE], [1, -1, 2, NONE]],
  ['round', [2], [1.234, -1.236, 5, NONE], [1.23, -1.24, 5, NONE]],
  ['round', [-2], [149, -150, 5, NONE], [100, -200, 0, NONE]],
  ['default', [7], [1, NONE, 2], [1, 7, 2]],
  ['monotonic_diff', [], [5, 5, 8, NONE, 2, 4], [NONE, 0, 3, NONE, NONE, 2]],
  ['throughput', [], [20, NONE, 5], [2, NONE, 0.5]],
])('%s(%j)', (name, args, values, expected) => {
  expect(apply(name, { '': values }, ...args)['']).toEqual(expected);
});

test('counts are those of the series of a step, and none where no series has a value', () => {
  const rows = { 'h:a': [1, 0, NONE, 0], 'h:b': [2, 3, NONE, NONE] };
  expect(apply('count_not_null', rows)).toEqual({ '': [2, 2, NONE, 1] });
  expect(apply('count_nonzero', rows)).toEqual({ '': [2, 1, NONE, 0] });
  expect(apply('count_not_null', {})).toEqual({});
});

test('exclude_null drops groups that lack a tag', () => {
  expect(Object.keys(apply('exclude_null', { 'h:a,e:N/A': [1], 'h:N/A,e:b': [1], 'h:a,e:b': [1] }))).toEqual([
    'h:a,e:b',
  ]);
});

test('the range alone decides of cumsum, integral and top, not the values before it', () => {
  const frame = frameOf({ 'h:a': [100, 1, 2], 'h:b': [0, 3, 4] });
  const rows = (name: string, args: FunctionArgument[] = []) =>
    rowsOf(finishAtOnce(applyRangeFunction(name, frame, args, 1)) ?? frame);
  expect(rows('cumsum')['h:a']).toEqual([NONE, 1, 3]);
  expect(rows('integral')['h:a']).toEqual([NONE, 0, 20]);
  expect(rows('top', [1, 'mean', 'desc'])).toEqual({ 'h:b': [0, 3, 4] });
  expect(rows('top', [1, 'l2norm', 'asc'])).toEqual({ 'h:a': [100, 1, 2] });
  expect(rows('bottom', [1, 'sum', 'asc'])).toEqual({ 'h:a': [100, 1, 2] });
});
