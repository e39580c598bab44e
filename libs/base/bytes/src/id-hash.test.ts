import { expect, test } from '@jest/globals';
import { IdHash } from './id-hash.ts';

const idOf = (i: number): Buffer => Buffer.alloc(16, `id ${i} of a series`);

test('an id has one hash as bytes and as words, and another one under another key', () => {
  const hash = new IdHash(Buffer.alloc(16, 1));
  const other = new IdHash(Buffer.alloc(16, 2));
  const words = new Uint32Array(8);
  let different = 0;
  for (let i = 0; i < 1000; i++) {
    const id = idOf(i);
    new Uint8Array(words.buffer).set(id, 16);
    expect(hash.ofWords(words, 4)).toBe(hash.of(id));
    if (hash.of(id) !== other.of(id)) different++;
  }
  expect(different).toBeGreaterThan(990);
});

test('ids that differ in one bit have hashes that differ in their low bits', () => {
  const hash = new IdHash(Buffer.alloc(16, 3));
  const slots = new Set<number>();
  for (let bit = 0; bit < 128; bit++) {
    const id = Buffer.alloc(16);
    id[bit >> 3] ^= 1 << (bit & 7);
    slots.add(hash.of(id) & 0xffff);
  }
  expect(slots.size).toBeGreaterThan(120);
});
