import { expect, test } from '@jest/globals';
import type { Regrouping } from './method-names.ts';
import { regroup } from './regroup.ts';
import { frameOf, rowsOf } from './testing/frame-of.ts';

const NONE = Number.NaN;
const FRAME = frameOf({
  'env:prod,host:a': [1, NONE, NONE],
  'env:prod,host:b': [3, 5, NONE],
  'env:dev,host:c': [7, 8, 9],
});

const by = (name: Extract<Regrouping, { type: 'method' }>['name'], ...keys: string[]) =>
  rowsOf(regroup(FRAME, { type: 'method', name }, keys));

test('finished series are folded by fewer keys, where one of them has a value', () => {
  expect(by('max', 'env')).toEqual({ 'env:prod': [3, 5, NONE], 'env:dev': [7, 8, 9] });
  expect(by('min', 'env')['env:prod']).toEqual([1, 5, NONE]);
  expect(by('sum', 'env')['env:prod']).toEqual([4, 5, NONE]);
  expect(by('avg')).toEqual({ '': [11 / 3, 6.5, 9] });
  expect(by('count')).toEqual({ '': [3, 2, 1] });
  expect(by('stddev', 'env')['env:prod']).toEqual([1, 0, NONE]);
  expect(rowsOf(regroup(FRAME, { type: 'percentile', percentile: 50 }, []))).toEqual({ '': [3, 5, 9] });
  expect(rowsOf(regroup(FRAME, { type: 'percentile', percentile: 99 }, []))).toEqual({ '': [7, 8, 9] });
});

test('a key that the series are not grouped by is refused', () => {
  expect(() => by('max', 'role')).toThrow('by {role}: the series inside are grouped by env, host; add role');
});
