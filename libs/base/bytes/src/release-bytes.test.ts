import { expect, test } from '@jest/globals';
import { releaseBytes } from './index.ts';

test('bytes with a buffer of their own are released, with all views of it', () => {
  const bytes = Buffer.allocUnsafeSlow(100_000).fill(1);
  const view = bytes.subarray(10, 20);
  releaseBytes(bytes);
  expect([bytes.length, bytes.buffer.byteLength, view.length]).toEqual([0, 0, 0]);
  releaseBytes(bytes);
  expect(bytes.length).toBe(0);
});

test('bytes that share their buffer stay', () => {
  const all = Buffer.allocUnsafeSlow(100).fill(7);
  const part = all.subarray(0, 50);
  releaseBytes(part);
  expect(part).toEqual(Buffer.alloc(50, 7));
  const shared = new Uint8Array(new SharedArrayBuffer(10));
  releaseBytes(shared);
  expect(shared.length).toBe(10);
});
