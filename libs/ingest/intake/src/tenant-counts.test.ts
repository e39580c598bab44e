import { expect, test } from '@jest/globals';
import { TenantCounts } from './tenant-counts.ts';

test('counts add up by tenant and reason, separately for both kinds', () => {
  const counts = new TenantCounts();
  const nan = { reason: 'value_nan', field: 'value', limit: 'a number', points: 2, message: '' };
  counts.reject('a', [nan, { ...nan, reason: 'unknown_ref', points: 1 }]);
  counts.reject('a', [nan]);
  counts.reject('b', [nan]);
  counts.leaveOut('a', new Map([['exemplar', 3]]));
  counts.leaveOut('a', new Map([['exemplar', 1]]));
  expect(counts.rejectedOf('a')).toEqual({ value_nan: 4, unknown_ref: 1 });
  expect(counts.rejectedOf('b')).toEqual({ value_nan: 2 });
  expect([counts.leftOutOf('a'), counts.leftOutOf('b')]).toEqual([{ exemplar: 4 }, {}]);
});
