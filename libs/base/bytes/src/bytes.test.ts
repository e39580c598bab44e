import { describe, expect, test } from '@jest/globals';
import { isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { afterPrefix, ByteReader, ByteWriter, compareBytes, crc32c } from './index.ts';

describe('ByteWriter and ByteReader', () => {
  test('varints up to 53 bits read as they were written', () => {
    fc.assert(
      fc.property(
        fc.array(fc.maxSafeNat()),
        fc.array(fc.integer({ min: -(2 ** 51), max: 2 ** 51 })),
        (plain, signed) => {
          const writer = new ByteWriter(1);
          for (const value of plain) writer.varint(value);
          for (const value of signed) writer.signedVarint(value);
          const reader = new ByteReader(writer.take(), 'test');
          expect(plain.map(() => reader.varint())).toEqual(plain);
          expect(signed.map(() => reader.signedVarint() + 0)).toEqual(signed.map((value) => value + 0));
          expect(reader.remaining).toBe(0);
        },
      ),
    );
  });

  test('texts and doubles read as they were written', () => {
    const writer = new ByteWriter();
    writer.text('grüße');
    writer.f64(-0);
    const reader = new ByteReader(writer.take(), 'test');
    expect(reader.text(100)).toBe('grüße');
    expect(Object.is(reader.f64(), -0)).toBe(true);
  });

  test('a text is its size in UTF-8 and its UTF-8, for any length and characters', () => {
    const text = fc.string({ unit: fc.constantFrom('a', '\0', '\x7f', 'ü', '€', '😀', '\ud800'), maxLength: 100 });
    fc.assert(
      fc.property(text, fc.string({ unit: 'grapheme-ascii', minLength: 40, maxLength: 60 }), (any, ascii) => {
        for (const each of [any, ascii, ascii + any, any.slice(0, 3) + ascii]) {
          const expected = new ByteWriter();
          expected.sizedBytes(Buffer.from(each));
          const writer = new ByteWriter(1);
          writer.u8(1);
          writer.text(each);
          writer.u8(2);
          expect(writer.take()).toEqual(Buffer.concat([Buffer.of(1), expected.take(), Buffer.of(2)]));
        }
      }),
    );
  });

  test('hostile bytes give data_loss and no other error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        const reader = new ByteReader(bytes, 'hostile');
        try {
          reader.varint();
          reader.text(10);
          reader.sizedBytes(3);
        } catch (error) {
          expect(isTidemarkError(error, 'data_loss')).toBe(true);
        }
      }),
    );
  });
});

test('crc32c matches the vectors of RFC 3720', () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(Buffer.from('6789'), crc32c(Buffer.from('12345')))).toBe(0xe3069283);
});

test('afterPrefix is the lowest upper bound of a prefix', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (prefix, rest) => {
      const key = Buffer.concat([prefix, rest]);
      expect(compareBytes(key, afterPrefix(prefix))).toBeLessThan(0);
    }),
  );
});
