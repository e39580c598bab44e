import { expect, test } from '@jest/globals';
import { ReusedMemory } from './index.ts';

test('what is taken has one piece of memory, which grows, and no longer has that of a single large record', () => {
  const memory = new ReusedMemory();
  const first = memory.take(100);
  expect(first.length).toBe(100);
  expect(memory.take(60).buffer).toBe(first.buffer);
  const second = memory.take(2 * 1024 * 1024);
  expect(second.length).toBe(2 * 1024 * 1024);
  const large = memory.take(16 * 1024 * 1024);
  expect(large.length).toBe(16 * 1024 * 1024);
  expect(memory.take(100).buffer).toBe(second.buffer);
});
