import { expect, test } from '@jest/globals';
import { Pending } from './pending.ts';

test('a pending component is unavailable until it is set, once', () => {
  const pending = new Pending<number>('the intake');
  const unavailable = expect.objectContaining({ code: 'unavailable', message: 'the intake is starting' });
  expect(() => pending.part).toThrow(unavailable);
  expect(pending.ifSet).toBeUndefined();
  pending.set(7);
  expect([pending.part, pending.ifSet]).toEqual([7, 7]);
  expect(() => pending.set(8)).toThrow('the intake is set once');
});
