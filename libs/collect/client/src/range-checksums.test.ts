import { describe, expect, test } from '@jest/globals';
import { crc32c } from '@tidemark/bytes';
import fc from 'fast-check';
import { RangeChecksums } from './range-checksums.ts';

describe('checksums', () => {
  test('of every range of some bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        const start = bytes.length >> 2;
        const ranges = new RangeChecksums(bytes, start);
        for (let from = start; from <= bytes.length; from++) {
          for (let to = from; to <= bytes.length; to++)
            expect(ranges.of(from, to)).toBe(crc32c(bytes.subarray(from, to)));
        }
      }),
      { numRuns: 50 },
    );
  });

  test('of ranges longer than a table of powers', () => {
    const bytes = Buffer.alloc(50_000, 'some bytes that repeat');
    const ranges = new RangeChecksums(bytes);
    const place = fc.integer({ min: 0, max: bytes.length });
    fc.assert(
      fc.property(place, place, (a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        expect(ranges.of(from, to)).toBe(crc32c(bytes.subarray(from, to)));
      }),
    );
  });
});
