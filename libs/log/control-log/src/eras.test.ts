import { expect, test } from '@jest/globals';
import { Eras } from './eras.ts';

test('a watermark of an earlier era is worth no more than the earliest later start', () => {
  const eras = new Eras()
    .with({ offset: 10, startMs: 500, aheadMs: 1 })
    .with({ offset: 20, startMs: 300, aheadMs: 1 })
    .with({ offset: 30, startMs: 900, aheadMs: 1 });
  expect([-1, 10, 20, 30].map((era) => eras.boundMs(era))).toEqual([300, 300, 900, Infinity]);
  expect([eras.boundMs(31), new Eras().boundMs(-1), eras.current]).toEqual([undefined, Infinity, 30]);
});

test('of many eras the oldest are combined, with the earlier start', () => {
  let eras = new Eras();
  for (let i = 0; i < 70; i++) eras = eras.with({ offset: i, startMs: i === 2 ? -5 : i, aheadMs: 1 });
  expect(eras.list).toHaveLength(64);
  expect([-1, 3, 6, 7, 69].map((era) => eras.boundMs(era))).toEqual([-5, -5, 7, 8, Infinity]);
});
