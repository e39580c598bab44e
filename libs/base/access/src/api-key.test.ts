import { expect, test } from '@jest/globals';
import { hashApiKey, newApiKey } from './api-key.ts';

test('a new key is its prefix and 192 random bits, and is stored as its hash', () => {
  const key = newApiKey({ next: () => 0, bytes: (length) => new Uint8Array(length).fill(0xff) });
  expect(key).toBe(`tdm_${'_'.repeat(32)}`);
  expect(hashApiKey('abc').toString('hex')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
