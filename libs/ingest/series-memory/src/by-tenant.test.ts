import { expect, test } from '@jest/globals';
import { ByTenant } from './by-tenant.ts';

test('the value of a tenant is cleared when its own scope is replaced, and only then', () => {
  const known = new ByTenant(() => new Set<number>());
  const scopes = [{}, {}, {}];
  known.of('a', scopes[0]).add(1);
  known.of('b', scopes[1]).add(2);
  expect([...known.of('a', scopes[0])]).toEqual([1]);
  known.of('a', scopes[2]).add(3);
  expect([[...known.of('a', scopes[2])], [...known.of('b', scopes[1])]]).toEqual([[3], [2]]);
});
