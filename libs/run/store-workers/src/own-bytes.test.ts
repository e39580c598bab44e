import { describe, expect, test } from '@jest/globals';
import { ownBytes } from './own-bytes.ts';

describe('bytes that are transferred to another thread', () => {
  test('a slice is copied, so that a transfer does not move the rest of its buffer', () => {
    const all = new Uint8Array([1, 2, 3, 4]);
    for (const slice of [all.subarray(0, 3), all.subarray(1)]) {
      const own = ownBytes(slice);
      expect(own).toEqual(new Uint8Array(slice));
      expect(own.buffer.byteLength).toBe(slice.length);
      structuredClone(own, { transfer: [own.buffer] });
    }
    expect([...all]).toEqual([1, 2, 3, 4]);
  });

  test('a small Buffer of the shared pool is copied', () => {
    const pooled = Buffer.from('pooled');
    const own = ownBytes(pooled);
    expect(own.buffer).not.toBe(pooled.buffer);
    structuredClone(own, { transfer: [own.buffer] });
    expect(pooled.toString()).toBe('pooled');
  });

  test('bytes that fill their buffer are not copied', () => {
    const whole = new Uint8Array(10_000);
    expect(ownBytes(whole).buffer).toBe(whole.buffer);
  });

  test('an empty array can be transferred', () => {
    const own = ownBytes(new Uint8Array(0));
    expect(structuredClone(own, { transfer: [own.buffer] })).toHaveLength(0);
  });
});
