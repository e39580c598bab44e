import { expect, test } from '@jest/globals';
import { MemoryKeyValue } from './memory-key-value.ts';

test('writes fail the requested number of times, before or after they are applied', async () => {
  const store = new MemoryKeyValue();
  const key = Uint8Array.of(1);
  const write = (byte: number) => store.write([{ key, value: Uint8Array.of(byte) }]);
  store.failingWrites = 1;
  await expect(write(1)).rejects.toMatchObject({ code: 'resource_exhausted' });
  expect([await store.get(key), store.batchBytes]).toEqual([undefined, []]);
  await write(2);
  Object.assign(store, { failingWrites: 1, failsLate: true });
  await expect(write(3)).rejects.toMatchObject({ code: 'resource_exhausted' });
  expect([store.content.get('01'), store.batchBytes]).toEqual([Buffer.of(3), [2, 2]]);
});
