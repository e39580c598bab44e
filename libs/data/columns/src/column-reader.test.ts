import { describe, expect, test } from '@jest/globals';
import { ByteReader, ByteWriter } from '@tidemark/bytes';
import { ColumnReader } from './column-reader.ts';

function columnReader(bytes: Uint8Array): ColumnReader {
  const reader = new ColumnReader('test');
  reader.open(bytes);
  return reader;
}

describe.each([
  ['ColumnReader', columnReader],
  ['ByteReader', (bytes: Uint8Array) => new ByteReader(bytes, 'test')],
])('varints of %s', (_, open) => {
  const CONTINUED = 0x80;

  test('53 bits are read exactly, at both ends of the range and of the sign', () => {
    for (const value of [0, 1, 127, 128, 2 ** 49 - 1, 2 ** 49, 2 ** 53 - 2, Number.MAX_SAFE_INTEGER]) {
      const writer = new ByteWriter();
      writer.varint(value);
      const reader = open(writer.take());
      expect(reader.varint()).toBe(value);
      expect(reader.remaining).toBe(0);
    }
    for (const value of [0, -1, 1, 2 ** 52 - 1, -(2 ** 52)]) {
      const writer = new ByteWriter();
      writer.signedVarint(value);
      expect(open(writer.take()).signedVarint()).toBe(value);
    }
  });

  test('a number of 54 to 56 bits is refused, and so is a ninth byte, even of a small number', () => {
    const bits54 = [CONTINUED, CONTINUED, CONTINUED, CONTINUED, CONTINUED, CONTINUED, CONTINUED, 0x10];
    const bits56 = [...Array(7).fill(0xff), 0x7f];
    const nine = [...Array(8).fill(CONTINUED), 0x00];
    for (const bytes of [bits54, bits56, nine]) {
      expect(() => open(Uint8Array.from(bytes)).varint()).toThrow('test: a number beyond 53 bits (at byte 8)');
      expect(() => open(Uint8Array.from(bytes)).signedVarint()).toThrow('a number beyond 53 bits');
    }
  });

  test('an end within a number is refused', () => {
    expect(() => open(Uint8Array.of(CONTINUED)).varint()).toThrow('test: 1 bytes expected, 0 left (at byte 1)');
  });
});
