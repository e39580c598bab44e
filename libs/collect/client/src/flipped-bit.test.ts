import { expect, test } from '@jest/globals';
import { crc32c } from '@tidemark/bytes';
import fc from 'fast-check';
import { flippedBit } from './flipped-bit.ts';

test('checksums say which bit flipped, and that none did', () => {
  const body = Buffer.alloc(40_000, 'a body');
  const right = crc32c(body);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: body.length * 8 - 1 }), (bit) => {
      const bad = Buffer.from(body);
      bad[bit >> 3] ^= 1 << (bit & 7);
      expect(flippedBit(right ^ crc32c(bad), body.length * 8)).toBe(bit);
      // The bit is before the start of a shorter body.
      expect(flippedBit(right ^ crc32c(bad), body.length * 8 - bit - 1)).toBeUndefined();
      bad[(bit >> 3) ^ 1] ^= 0x10;
      expect(flippedBit(right ^ crc32c(bad), body.length * 8)).toBeUndefined();
    }),
  );
});
