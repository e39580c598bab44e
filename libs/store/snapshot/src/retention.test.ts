import { expect, test } from '@jest/globals';
import { TidemarkError } from '@tidemark/ports';
import { expiredIds } from './retention.ts';
import { EXAMPLE } from './testing/example-manifest.ts';

const HOUR_MS = 3_600_000;
const RETENTION = { logId: 'log', keep: 2, keepMs: HOUR_MS, nowMs: 10 * HOUR_MS };

const idOf = (offset: number): string => `${String(offset).padStart(16, '0')}-0123456789abcdef`;
const at = (offset: number, ageHours: number, logId = 'log') => ({
  ...EXAMPLE,
  id: idOf(offset),
  offset,
  logId,
  createdMs: RETENTION.nowMs - ageHours * HOUR_MS,
});
const unreadable = (offset: number, reason = 'foreign') => ({
  key: `${offset}`,
  id: idOf(offset),
  error: new TidemarkError('data_loss', 'damaged', { reason }),
});

test('a snapshot goes only when it is beyond the count and the age', () => {
  const snapshots = [at(1, 5), at(2, 0.5), at(3, 4), at(4, 3)];
  expect(expiredIds(snapshots, [], RETENTION)).toEqual([idOf(1)]);
  expect(expiredIds(snapshots, [], { ...RETENTION, keepMs: 0 })).toEqual([idOf(1), idOf(2)]);
  expect(expiredIds(snapshots, [], { ...RETENTION, keep: 4, keepMs: 0 })).toEqual([]);
  expect(expiredIds([at(1, 9)], [], { ...RETENTION, keep: 1, keepMs: 0 })).toEqual([]);
});

test('snapshots of another log go by age, when this one has enough of its own', () => {
  const others = [at(100, 5, 'other'), at(200, 0.5, 'other')];
  expect(expiredIds([at(1, 5), ...others], [], RETENTION)).toEqual([]);
  expect(expiredIds([at(1, 5), at(2, 5), ...others], [], RETENTION)).toEqual([idOf(100)]);
});

test('a damaged manifest goes when an older readable one would; one of a newer format stays', () => {
  const snapshots = [at(5, 5), at(6, 4), at(7, 3)];
  expect(expiredIds(snapshots, [unreadable(4), unreadable(6)], RETENTION)).toEqual([idOf(4), idOf(5)]);
  expect(expiredIds(snapshots, [unreadable(4, 'newer')], RETENTION)).toEqual([idOf(5)]);
  const young = [at(5, 0.5), at(6, 0.5), at(7, 0.5)];
  expect(expiredIds(young, [unreadable(4)], RETENTION)).toEqual([]);
  // Which of one offset was made first is not known.
  const damaged = { ...unreadable(5), id: `${String(5).padStart(16, '0')}-0000000000000000` };
  expect(expiredIds(snapshots, [damaged], RETENTION)).toEqual([idOf(5)]);
  const foreignKey = { key: 'x', error: new TidemarkError('data_loss', 'damaged') };
  expect(expiredIds(snapshots, [foreignKey], RETENTION)).toEqual([idOf(5)]);
});
