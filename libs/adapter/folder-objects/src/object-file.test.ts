import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { fromHex, toHex } from '@tidemark/bytes';
import { isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { decodeTrailer, encodeTrailer, OBJECT_FILE_VERSION, TRAILER_BYTES } from './object-file.ts';

const GOLDEN = JSON.parse(readFileSync(new URL('./object-file.golden.json', import.meta.url), 'utf8'));
const TRAILER = { sizeBytes: 5, version: '0123456789abcdef', crc32c: 0x9a71bb4c };

test('the trailer of version 1 is read, and written', () => {
  expect(GOLDEN.version).toBe(OBJECT_FILE_VERSION);
  expect(toHex(encodeTrailer(TRAILER))).toBe(GOLDEN.trailer);
  expect(decodeTrailer(fromHex(GOLDEN.trailer), 5 + TRAILER_BYTES, 'a.b')).toEqual(TRAILER);
});

test('every damaged bit, every other length and an unknown version are data_loss', () => {
  const whole = Buffer.from(encodeTrailer(TRAILER));
  const codeOf = (bytes: Uint8Array, fileBytes: number) => {
    try {
      decodeTrailer(bytes, fileBytes, 'a.b');
    } catch (error) {
      return isTidemarkError(error) ? error.code : String(error);
    }
    return 'no error';
  };
  for (let bit = 0; bit < 8 * TRAILER_BYTES; bit++) {
    const damaged = Buffer.from(whole);
    damaged[bit >> 3] ^= 1 << (bit & 7);
    expect([bit, codeOf(damaged, 5 + TRAILER_BYTES)]).toEqual([bit, 'data_loss']);
  }
  for (const fileBytes of [TRAILER_BYTES, 4 + TRAILER_BYTES, 6 + TRAILER_BYTES]) {
    expect(codeOf(whole, fileBytes)).toBe('data_loss');
  }
  const property = fc.property(fc.uint8Array({ maxLength: TRAILER_BYTES }), fc.nat(), (bytes, fileBytes) => {
    expect(codeOf(bytes, fileBytes)).toBe('data_loss');
  });
  fc.assert(property);
});
