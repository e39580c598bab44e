import { expect, test } from '@jest/globals';
import { ManualClock } from '@tidemark/simulation';
import { TenantCounts } from './tenant-counts.ts';

test('counts add up by tenant and reason, separately for both kinds', () => {
  const clock = new ManualClock(1_000.5);
  const counts = new TenantCounts(clock);
  clock.nowMs += 1000;
  const nan = { reason: 'value_nan', field: 'value', limit: 'a number', points: 2, message: 'NaN of x' };
  counts.reject('a', [nan, { ...nan, reason: 'unknown_ref', points: 1 }]);
  counts.reject('a', [nan]);
  counts.reject('b', [nan]);
  counts.leaveOut('a', new Map([['exemplar', { count: 3, example: '' }]]));
  counts.leaveOut('a', new Map([['exemplar', { count: 1, example: 'a.b' }]]));
  expect(counts.rejectedOf('a')).toEqual({ value_nan: 4, unknown_ref: 1 });
  expect(counts.rejectedOf('b')).toEqual({ value_nan: 2 });
  // The first example that there is.
  const example = (reason: string) => counts.listOf('a').find((one) => one.reason === reason);
  const counted = {
    stage: 'rejected',
    client: '',
    reason: 'value_nan',
    count: 4,
    example: 'NaN of x',
    sinceMs: 1000,
    lastMs: 2000,
  };
  expect(example('value_nan')).toEqual(counted);
  expect(example('exemplar')).toMatchObject({ stage: 'left_out', count: 4, example: 'a.b' });
  expect([counts.leftOutOf('a'), counts.leftOutOf('b')]).toEqual([{ exemplar: 4 }, {}]);
});
