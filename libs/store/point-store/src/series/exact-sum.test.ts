import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compactSum, exactSum } from './exact-sum.ts';

const any = fc.double();
const near = fc.constantFrom(0.1, 0.2, 0.3, -0.1, 1e16, -1e16, 1, -1, 2 ** -1074, Number.MAX_VALUE, -Number.MAX_VALUE);
const values = fc.array(fc.oneof(any, near), { minLength: 2, maxLength: 20 });

const sum = (list: readonly number[]) => exactSum(Float64Array.from(list), 0, list.length);
const compact = (list: readonly number[]) => {
  const column = Float64Array.from(list);
  return [...column.subarray(0, compactSum(column, 0, list.length))];
};

/** The exact sum in units of 2^-1074, by the digits of each number. */
function exactly(list: readonly number[]): bigint {
  return list.reduce((total, value) => {
    let scaled = value;
    let units = 1n;
    for (let power = 1074; power > 0; ) {
      const step = Math.min(power, 50);
      // In two ways, so that neither end of the range loses bits.
      if (Math.abs(scaled) < 2 ** 900) scaled *= 2 ** step;
      else units <<= BigInt(step);
      power -= step;
    }
    return total + BigInt(scaled) * units;
  }, 0n);
}

describe('sums of counts', () => {
  test('sums of counts are exact and rounded once: no other float64 is nearer', () => {
    fc.assert(
      fc.property(values, (list) => {
        if (!list.every(Number.isFinite)) return;
        const found = sum(list);
        const wanted = exactly(list);
        if (!Number.isFinite(found)) {
          const size = wanted < 0n ? -wanted : wanted;
          expect(size > exactly([Number.MAX_VALUE])).toBe(true);
          return;
        }
        const distance = (value: number) => {
          const difference = exactly([value]) - wanted;
          return difference < 0n ? -difference : difference;
        };
        for (const other of [up(found), -up(-found)]) {
          if (Number.isFinite(other)) expect(distance(found) <= distance(other)).toBe(true);
        }
      }),
    );
  });

  test('sums do not depend on order or grouping, also beyond the finite numbers', () => {
    fc.assert(
      fc.property(values, fc.array(fc.nat(20), { maxLength: 5 }), fc.integer(), (list, cuts, seed) => {
        const shuffled = [...list].sort((a, b) => Math.sin(a * 7 + seed) - Math.sin(b * 7 + seed));
        let grouped: number[] = [];
        shuffled.forEach((value, i) => {
          grouped.push(value);
          if (cuts.includes(i) && grouped.length > 1) grouped = compact(grouped);
        });
        const found = grouped.length > 1 ? sum(grouped) : grouped[0];
        expect(Object.is(found + 0, sum(list) + 0)).toBe(true);
      }),
    );
  });

  test('sums need one number for integers and few for others', () => {
    expect(compact([1, 2, 3])).toEqual([6]);
    expect(compact([0.5, 0.25, 1])).toEqual([1.75]);
    expect(compact([0.1, 0.2])).toHaveLength(2);
    expect(compact([0.1, -0.1])).toEqual([0]);
    expect(compact([Number.NaN, 1, Number.POSITIVE_INFINITY])).toEqual([Number.NaN]);
    expect(sum([Number.MAX_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE])).toBe(Number.MAX_VALUE);
    expect(sum(Array.from({ length: 10 }, () => 0.1))).toBe(1);
  });
});

/** The next float64 above. */
function up(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  if (value === 0) return Number.MIN_VALUE;
  view.setFloat64(0, value);
  view.setBigInt64(0, view.getBigInt64(0) + (value > 0 ? 1n : -1n));
  return view.getFloat64(0);
}
