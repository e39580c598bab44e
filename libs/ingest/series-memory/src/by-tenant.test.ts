import { expect, test } from '@jest/globals';
import { ByTenant } from './by-tenant.ts';

test('what is remembered of a tenant starts over with its scope, and with no other', () => {
  const known = new ByTenant(() => new Set<number>());
  const scopes = [{}, {}, {}];
  known.of('a', scopes[0]).add(1);
  known.of('b', scopes[1]).add(2);
  expect([...known.of('a', scopes[0])]).toEqual([1]);
  known.of('a', scopes[2]).add(3);
  expect([[...known.of('a', scopes[2])], [...known.of('b', scopes[1])]]).toEqual([[3], [2]]);
});
