import { expect, test } from '@jest/globals';
import { DamagedBatches } from './damaged-batches.ts';
import { FILE_KIND } from './spool-format.ts';

test('settles a spool with more batches than a call can have arguments', () => {
  const damage = new DamagedBatches();
  damage.add(FILE_KIND.stamped, { bytes: Buffer.alloc(40, 0xff), position: 32, isEnd: false });
  const stamped = Array.from({ length: 200_000 }, (_, number) => ({ number: number + 1, points: 1, stamped: {} }));
  const unstamped = { number: 0, points: 7 };
  const batches = new Map([unstamped, ...stamped].map((batch) => [batch.number, batch]));
  expect(damage.settle(batches, () => false)).toEqual({ dropped: 0, indeterminate: 7, numbers: [0] });
  expect(batches.size).toBe(200_000);
});
