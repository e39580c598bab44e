import { expect, test } from '@jest/globals';
import { ownCopy } from './own-copy.ts';

test('a copy has the same bytes, and no more memory than these', () => {
  const bytes = Buffer.from('a client session');
  const copy = ownCopy(bytes.subarray(2, 8));
  expect(copy.toString()).toBe('client');
  expect(copy.buffer.byteLength).toBe(6);
  copy[0] = 0;
  expect(bytes.toString()).toBe('a client session');
});
