import { describe, expect, test } from '@jest/globals';
import { judgeHalts } from './halted-partitions.ts';
import type { StorePosition } from './store-position.ts';

const at = (offset: number, halted = '', rest: Partial<StorePosition> = {}): StorePosition => {
  return { topic: 'points', partition: 1, offset, logNext: 100, halted, ...rest };
};
const HALT = new Map([['points/1', { topic: 'points', partition: 1, offset: 7, sinceMs: 5 }]]);
const decided = (offset: number, halted: boolean) => [{ topic: 'points', partition: 1, offset, halted }];

describe('a partition', () => {
  test('is halted when each store that answered is, at the highest of their offsets', () => {
    expect(judgeHalts([at(3), at(7, 'rot')], new Map())).toEqual([]);
    expect(judgeHalts([at(3, 'rot'), at(7, 'rot')], new Map())).toEqual(decided(7, true));
    expect(judgeHalts([at(7, 'rot')], HALT)).toEqual([]);
    expect(judgeHalts([at(9, 'rot')], HALT)).toEqual(decided(9, true));
  });

  test('is halted apart from other partitions and topics', () => {
    expect(judgeHalts([at(7, 'rot'), at(9, '', { partition: 2 }), at(9, '', { topic: 'tags' })], new Map())).toEqual(
      decided(7, true),
    );
  });

  test('stays halted while no store answers, and while one that has started again has yet to read the damage', () => {
    expect(judgeHalts([], HALT)).toEqual([]);
    expect(judgeHalts([at(0, '', { logNext: 0 })], HALT)).toEqual([]);
    expect(judgeHalts([at(7)], HALT)).toEqual([]);
  });

  test('continues when one of its stores is beyond the damage, or has read all of a shorter log', () => {
    expect(judgeHalts([at(7, 'rot'), at(8)], HALT)).toEqual(decided(7, false));
    expect(judgeHalts([at(4, '', { logNext: 5 })], HALT)).toEqual([]);
    expect(judgeHalts([at(5, '', { logNext: 5 })], HALT)).toEqual(decided(7, false));
  });
});
