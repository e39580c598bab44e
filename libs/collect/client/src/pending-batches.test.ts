import { expect, test } from '@jest/globals';
import { BatchFate } from './batch-fate.ts';
import { PendingBatches } from './pending-batches.ts';

test('a waiter is called once the batches before it are decided, in any order; later ones do not matter', () => {
  const pending = new PendingBatches();
  const called: string[] = [];
  pending.whenDecided(() => called.push('none'));
  const fates = Array.from({ length: 4 }, () => new BatchFate(2));
  pending.add(fates[0]);
  pending.add(fates[1]);
  pending.whenDecided(() => called.push('two'));
  pending.add(fates[2]);
  const stop = pending.whenDecided(() => called.push('stopped'));
  pending.whenDecided(() => called.push('three'));
  pending.add(fates[3]);
  expect(pending.all).toEqual(fates);
  fates[1].spooled();
  fates[2].acknowledged(1);
  fates[2].lost(1);
  expect(called).toEqual(['none']);
  stop();
  fates[0].acknowledged(1);
  expect(called).toEqual(['none']);
  fates[0].lost(1);
  expect(called).toEqual(['none', 'two', 'three']);
  expect(pending.all).toEqual([fates[3]]);
});

test('what is spooled and then lost is decided once', () => {
  const pending = new PendingBatches();
  const fate = new BatchFate(3);
  pending.add(fate);
  let calls = 0;
  fate.onDecided(() => calls++);
  fate.spooled();
  fate.lost(1);
  fate.acknowledged(2);
  expect([calls, fate.openPoints, fate.lostPoints, fate.acknowledgedPoints]).toEqual([1, 0, 1, 2]);
});
