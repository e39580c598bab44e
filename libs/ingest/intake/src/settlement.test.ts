import { expect, test } from '@jest/globals';
import { Settlement } from './settlement.ts';

function settlement() {
  const reports: number[][] = [];
  return { one: new Settlement((notStored) => reports.push([...notStored])), reports };
}

test('a settlement reports the failed partitions once, after the last part', () => {
  const { one, reports } = settlement();
  for (let i = 0; i < 4; i++) one.expect();
  one.settle(1, true);
  one.settle(2, false);
  one.complete();
  one.settleBatch(new Set([2, 3]));
  expect(reports).toEqual([]);
  one.settleBatch(new Set());
  expect(reports).toEqual([[2, 3]]);
});

test('a settlement waits for parts that are added after others have settled', () => {
  const { one, reports } = settlement();
  one.expect();
  one.settle(0, true);
  one.expect();
  one.complete();
  expect(reports).toEqual([]);
  one.settle(0, true);
  expect(reports).toEqual([[]]);
});

test('a settlement without parts reports when it is complete', () => {
  const { one, reports } = settlement();
  one.complete();
  expect(reports).toEqual([[]]);
});
