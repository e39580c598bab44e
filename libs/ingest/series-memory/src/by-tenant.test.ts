import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { ByTenant } from './by-tenant.ts';

class Numbers extends Set<number> {
  hasLeft = false;

  leave(): void {
    this.hasLeft = true;
  }
}

test('the value of a tenant is cleared when its own scope is replaced, and only then', () => {
  const known = new ByTenant(() => new Numbers());
  const scopes = [{}, {}, {}];
  known.of('a', scopes[0]).add(1);
  known.of('b', scopes[1]).add(2);
  expect([...known.of('a', scopes[0])]).toEqual([1]);
  known.of('a', scopes[2]).add(3);
  expect([[...known.of('a', scopes[2])], [...known.of('b', scopes[1])]]).toEqual([[3], [2]]);
});

test('the values of tenants whose scope was released are removed', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const known = new ByTenant(() => new Numbers());
  const made = Array.from({ length: 50 }, (_, i) => known.of(`gone ${i}`, {}));
  const scope = {};
  known.of('kept', scope);
  // A reference that was just made is held until the present job ends.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  known.of('new', {});
  expect(known.size).toBe(2);
  expect(made.every(({ hasLeft }) => hasLeft)).toBe(true);
  expect(known.of('kept', scope).hasLeft).toBe(false);
});
