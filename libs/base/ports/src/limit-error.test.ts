import { expect, test } from '@jest/globals';
import { limitError } from './limit-error.ts';

test('limitError names the field, what was found and the limit, in the message and in the detail', () => {
  const error = limitError('points', '101 points', 100, 'too_many_points');
  expect([error.code, error.message]).toEqual(['invalid_argument', 'points: 101 points (limit: 100)']);
  expect(error.detail).toEqual({ reason: 'too_many_points', field: 'points', limit: 100 });
  expect(limitError('host', '""', 'host:port').detail).toEqual({ field: 'host', limit: 'host:port' });
});
