import { describe, expect, test } from '@jest/globals';
import { murmur3 } from './murmur3.ts';

describe('MurmurHash3_x86_128', () => {
  test('has the verification value of SMHasher', () => {
    // Keys {0}, {0, 1}, … of lengths 0 to 255 with seeds 256 - length. The hashes are hashed again.
    const key = Uint8Array.from({ length: 256 }, (_, i) => i);
    const hashes = new Uint8Array(16 * 256);
    const out = new Uint32Array(4);
    for (let length = 0; length < 256; length++) {
      murmur3(key, length, 256 - length, out);
      hashes.set(new Uint8Array(out.buffer), 16 * length);
    }
    murmur3(hashes, hashes.length, 0, out);
    expect(out[0]).toBe(0xb3ece62a);
  });

  test('has the known hashes of two texts', () => {
    const hashOf = (text: string) => {
      const out = new Uint32Array(4);
      murmur3(Buffer.from(text), text.length, 0, out);
      return [...out].map((word) => word.toString(16).padStart(8, '0')).join('');
    };
    expect(hashOf('')).toBe('0'.repeat(32));
    expect(hashOf('The quick brown fox jumps over the lazy dog')).toBe('2f1583c3ecee2c675d7bf66ce5e91d2c');
  });
});
