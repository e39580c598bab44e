import { expect, test } from '@jest/globals';
import { HaltedPartitions } from './halted-partitions.ts';

test('the halt of a partition is the longest of its stores, and ends with the last one', () => {
  let nowMs = 5;
  const halts = new HaltedPartitions({ monotonicMs: () => nowMs });
  expect(halts.of(0)).toBeUndefined();
  halts.note('tags', 0, 'bit rot');
  nowMs = 9;
  halts.note('points', 0, 'a record is missing');
  halts.note('tags', 0, 'bit rot, again');
  expect(halts.of(0)).toEqual({ sinceMs: 5, reason: 'tags/0 is halted: bit rot, again' });
  expect(halts.of(1)).toBeUndefined();
  halts.note('tags', 0, undefined);
  expect(halts.of(0)).toEqual({ sinceMs: 9, reason: 'points/0 is halted: a record is missing' });
  halts.note('points', 0, undefined);
  expect(halts.of(0)).toBeUndefined();
});
