import { expect, test } from '@jest/globals';
import { StoreReadiness } from './store-readiness.ts';

const FULL = { code: 'resource_exhausted', message: 'no space left', during: 'commit' } as const;
const UNREACHABLE = { code: 'unavailable', message: 'no broker answers', during: 'read' } as const;

test('stores are ready once all have caught up', () => {
  const readiness = new StoreReadiness(['points/0', 'points/2']);
  expect(readiness.notReady).toBe('catching up: 2 of 2 partitions, such as points/0');
  readiness.caughtUp('points/0');
  expect(readiness.notReady).toBe('catching up: 1 of 2 partitions, such as points/2');
  readiness.caughtUp('points/2');
  expect(readiness.notReady).toBeUndefined();
});

test('a store that cannot write or is halted is not ready until that ends, and an unreachable log changes nothing', () => {
  const readiness = new StoreReadiness(['tags/0', 'tags/1']);
  readiness.halted('tags/1', 'a wrong checksum');
  expect(readiness.notReady).toBe('tags/1 is halted: a wrong checksum');
  readiness.failing('tags/0', FULL);
  expect(readiness.notReady).toBe("tags/0 can't be committed: no space left");
  // A read problem replaces the commit problem.
  readiness.failing('tags/0', UNREACHABLE);
  readiness.halted('tags/1', undefined);
  for (const part of ['tags/0', 'tags/1']) readiness.caughtUp(part);
  expect(readiness.notReady).toBeUndefined();
  readiness.failing('tags/0', FULL);
  readiness.failing('tags/0', undefined);
  expect(readiness.notReady).toBeUndefined();
});
