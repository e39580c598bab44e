import { expect, test } from '@jest/globals';
import { LabelMemory } from './label-memory.ts';
import { LabelTable, UNKNOWN } from './label-table.ts';

const KEY = Buffer.alloc(16, 7);

test('a full memory clears the table with the most blocks', () => {
  const memory = new LabelMemory(8 * 256, KEY, 256);
  const [small, large, newcomer] = [1, 2, 3].map(() => new LabelTable(memory));
  const labels = (i: number) => new DataView(new Uint8Array(150).fill(i).buffer);
  const fill = (table: LabelTable, from: number, count: number) => {
    for (let i = from; i < from + count; i++) table.add(labels(i), 0, 150, i);
  };
  const known = (table: LabelTable) =>
    Array.from({ length: 100 }, (_, i) => i).filter((i) => table.find(labels(i), 0, 150) !== UNKNOWN);
  fill(small, 10, 2);
  fill(large, 20, 6);
  expect(large.blocks).toBe(6);
  fill(newcomer, 30, 1);
  expect([known(small), known(large), known(newcomer)]).toEqual([[10, 11], [], [30]]);
  // The requesting table may itself be cleared.
  fill(newcomer, 40, 6);
  expect([known(small), known(newcomer)]).toEqual([[10, 11], [45]]);
  memory.leave(small);
  fill(newcomer, 50, 7);
  expect([known(small), known(newcomer).length]).toEqual([[], 8]);
});

test('labels that differ in one byte are different entries, at every length', () => {
  const table = new LabelTable(new LabelMemory(1 << 20, KEY));
  for (let length = 1; length < 40; length++) {
    const bytes = Buffer.alloc(length + 3, 0x41);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const entry = table.add(view, 2, length, length);
    expect([table.find(view, 2, length), table.handle(entry)]).toEqual([entry, length]);
    for (let at = 2; at < 2 + length; at++) {
      bytes[at] ^= 0x80;
      expect([table.matches(entry, view, 2), table.find(view, 2, length)]).toEqual([false, UNKNOWN]);
      bytes[at] ^= 0x80;
    }
  }
});
