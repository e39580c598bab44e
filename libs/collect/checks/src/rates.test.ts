import { expect, test } from '@jest/globals';
import { Rates } from './rates.ts';

test('a counter that fell gives no rate once, then rates again', () => {
  const rates = new Rates();
  const at = (nowMs: number, value: number): number | undefined => {
    rates.begin(nowMs);
    return rates.perSecond('x', value);
  };
  expect([at(0, 100), at(1_000, 150), at(2_000, 10), at(3_000, 30)]).toEqual([undefined, 50, undefined, 20]);
});
