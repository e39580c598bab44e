import { expect, test } from '@jest/globals';
import { PendingBytes } from './pending-bytes.ts';

test('bytes are bounded per tenant and in total, and released bytes are reused', () => {
  const pending = new PendingBytes({ pendingBytesPerTenant: 100, pendingBytes: 150 });
  expect(pending.reserve('a', 100)).toBeUndefined();
  expect(pending.reserve('a', 1)).toEqual({
    reason: 'tenant_pending',
    field: 'pendingBytesPerTenant',
    limit: '100 bytes',
    points: 0,
    message: 'pendingBytesPerTenant: too many bytes of requests are pending (limit: 100 bytes)',
  });
  expect(pending.reserve('b', 51)).toMatchObject({ reason: 'requests_pending', limit: '150 bytes' });
  expect(pending.reserve('b', 50)).toBeUndefined();
  expect(pending.all).toBe(150);
  pending.release('a', 100);
  expect(pending.reserve('b', 50)).toBeUndefined();
  pending.release('b', 50);
  pending.release('b', 50);
  expect(pending.all).toBe(0);
});

test('no tenant can reserve more than its limit', () => {
  const pending = new PendingBytes({ pendingBytesPerTenant: 100, pendingBytes: 150 });
  expect([pending.isTooLarge(100), pending.isTooLarge(101)]).toEqual([false, true]);
});
