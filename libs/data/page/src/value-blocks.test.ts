import { expect, test } from '@jest/globals';
import { LARGEST_PIECE_BYTES, ValueBlocks } from './value-blocks.ts';

/** The system gives no more memory. */
function refuse(blocks: ValueBlocks): void {
  Object.defineProperty(blocks.memory, 'grow', {
    value: () => {
      throw new RangeError('WebAssembly.Memory.grow(): Unable to grow instance memory');
    },
  });
}

test('room that was reserved is there when the system gives no more memory', () => {
  const blocks = new ValueBlocks();
  expect(blocks.reserve(20 * LARGEST_PIECE_BYTES)).toBe(true);
  expect(blocks.usedBytes + blocks.freeBytes).toBe(0);
  refuse(blocks);
  for (let i = 0; i < 20; i++) blocks.take(LARGEST_PIECE_BYTES);
  expect(blocks.usedBytes).toBe(20 * LARGEST_PIECE_BYTES);
});

test('where the system gives no more memory nothing changes, and what was given back can be reserved', () => {
  const blocks = new ValueBlocks();
  const pieces = Array.from({ length: 30 }, () => blocks.take(LARGEST_PIECE_BYTES));
  refuse(blocks);
  expect(blocks.reserve(30 * LARGEST_PIECE_BYTES)).toBe(false);
  const left: number[] = [];
  expect(() => {
    for (;;) left.push(blocks.take(LARGEST_PIECE_BYTES));
  }).toThrow(RangeError);
  expect(blocks.usedBytes).toBe((30 + left.length) * LARGEST_PIECE_BYTES);
  for (const piece of pieces) blocks.release(piece, LARGEST_PIECE_BYTES);
  expect([blocks.freeBytes, blocks.reserve(30 * LARGEST_PIECE_BYTES)]).toEqual([30 * LARGEST_PIECE_BYTES, true]);
  expect(blocks.reserve(31 * LARGEST_PIECE_BYTES)).toBe(false);
  expect(pieces).toContain(blocks.take(LARGEST_PIECE_BYTES));
});

test('the memory grows by half, to what WebAssembly can have at most, or by what is missing', () => {
  const blocks = new ValueBlocks();
  const grown: number[] = [];
  let pages = 60_000;
  Object.defineProperty(blocks, 'memory', {
    value: {
      get buffer() {
        return { byteLength: pages * 65_536 };
      },
      grow: (count: number) => {
        grown.push(count);
        pages += count;
        throw new RangeError('not really');
      },
    },
  });
  blocks.reserve(pages * 65_536);
  expect(grown).toEqual([5536, 1]);
});
