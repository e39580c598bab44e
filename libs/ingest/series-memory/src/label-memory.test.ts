import { expect, test } from '@jest/globals';
import { LabelMemory } from './label-memory.ts';

/** Lower halves of published hashes of SipHash-1-3 with a key of zeros. */
test.each([
  ['', 0x150c532c],
  ['\0', 0x8e01e473],
  ['siphash', 0xcb16bcbe],
  ['digest-sip_hash', 0x34130c0a],
])('%j has the hash of SipHash-1-3', (text, expected) => {
  const memory = new LabelMemory(1 << 20, Buffer.alloc(16));
  // Old bytes behind the hashed ones are not hashed.
  const full = new DataView(new Uint8Array(64).fill(0xff).buffer);
  memory.hash(full, 0, 64);
  const bytes = Buffer.from(`..${text}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  expect(memory.hash(view, 2, text.length) >>> 0).toBe(expected);
});

test('another key gives another hash, at every length up to the longest', () => {
  const [one, other] = [1, 2].map((byte) => new LabelMemory(1 << 20, Buffer.alloc(16, byte), 1024));
  const view = new DataView(new ArrayBuffer(1024));
  const hashes = new Set<number>();
  for (let length = 0; length <= one.longest; length++) {
    for (const memory of [one, other]) hashes.add(memory.hash(view, 0, length));
  }
  expect(hashes.size).toBeGreaterThan(2 * one.longest - 2);
});
