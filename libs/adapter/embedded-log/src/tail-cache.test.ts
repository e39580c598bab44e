import { expect, test } from '@jest/globals';
import type { LogRecord } from '@tidemark/ports';
import { TailCache } from './tail-cache.ts';

/** A cache of 100 bytes, and a way to add the records of a group of 40. */
function cached() {
  const cache = new TailCache(100);
  const add = (...offsets: number[]): void => {
    const records: LogRecord[] = offsets.map((offset) => ({ offset, appendTimeMs: 0, value: new Uint8Array(20) }));
    if (cache.keeps(40)) cache.add(records, 40);
    else cache.passOver(40);
  };
  const read = (from: number) => cache.read(from, 1000)?.map(({ offset }) => offset);
  return { add, read };
}

test('records without a reader are not kept', () => {
  const { add, read } = cached();
  add(0, 1);
  expect(read(0)).toBeUndefined();
});

test('from a read on the newest records that fit are kept', () => {
  const { add, read } = cached();
  read(0);
  add(0, 1);
  expect(read(0)).toEqual([0, 1]);
  add(2, 3);
  expect(read(1)).toEqual([1, 2, 3]);
  add(4, 5);
  expect(read(1)).toBeUndefined();
  expect(read(2)).toEqual([2, 3, 4, 5]);
});

test('nothing is kept any more once as many records as fit were added without a read', () => {
  const { add, read } = cached();
  read(0);
  add(0, 1);
  add(2, 3);
  add(4, 5);
  expect(read(4)).toBeUndefined();
  add(6, 7);
  expect(read(6)).toEqual([6, 7]);
});

test('records behind lost ones are kept without those before', () => {
  const { add, read } = cached();
  read(0);
  add(0, 1);
  add(7, 8);
  expect(read(1)).toBeUndefined();
  expect(read(7)).toEqual([7, 8]);
});

test('a cache without room keeps nothing', () => {
  const cache = new TailCache(0);
  cache.read(0, 1000);
  expect(cache.keeps(1)).toBe(false);
});
