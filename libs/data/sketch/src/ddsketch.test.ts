import { describe, expect, test } from '@jest/globals';
import { ByteWriter } from '@tidemark/bytes';
import { isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import {
  DDSketch,
  MAX_BUCKETS,
  MAX_COUNT,
  MAX_POSITIVE_BUCKETS,
  mergePacked,
  nearestRank,
  packSketch,
} from './index.ts';

const QS = [0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];
/** Room for rounding of the edges themselves. */
const ROUNDING = 1 + 1e-9;

function sketchOf(values: ArrayLike<number>, alpha?: number): DDSketch {
  const sketch = new DDSketch({ alpha });
  sketch.insertAll(Float64Array.from(values));
  return sketch;
}

function sortedCopy(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).sort();
}

function buckets(sketch: DDSketch): number {
  return sketch.positive.size() + sketch.negative.size();
}

function checkGuarantee(values: ArrayLike<number>, alpha: number): void {
  const sketch = sketchOf(values, alpha);
  const sorted = sortedCopy(values);
  for (const q of QS) {
    const truth = sorted[nearestRank(q, sorted.length) - 1];
    const { value, low, high } = sketch.quantile(q);
    expect(Math.abs(value - truth)).toBeLessThanOrEqual(Math.abs(truth) * alpha * ROUNDING);
    expect(low).toBeLessThanOrEqual(truth);
    expect(high).toBeGreaterThanOrEqual(truth);
    expect(low).toBeLessThanOrEqual(value);
    expect(high).toBeGreaterThanOrEqual(value);
    const share = sketch.shareAtMost(truth);
    const trueShare = sorted.filter((x) => x <= truth).length / sorted.length;
    expect(share.low).toBeLessThanOrEqual(trueShare);
    expect(share.high).toBeGreaterThanOrEqual(trueShare);
    expect(share.low).toBeLessThanOrEqual(share.share);
    expect(share.high).toBeGreaterThanOrEqual(share.share);
  }
}

/** A seeded uniform generator (mulberry32). */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

describe('the error guarantee', () => {
  const random = uniform(7);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const distributions: Record<string, () => number> = {
    uniform: () => random() * 1000,
    'normal around zero': () => normal(),
    'normal, mostly negative': () => normal() * 5 - 10,
    exponential: () => -Math.log(1 - random()) * 0.02,
    pareto: () => (1 - random()) ** -2,
    lognormal: () => Math.exp(3 * normal()),
    'integers with zeros': () => Math.floor(random() * 10) - 3,
    'one value': () => 42.5,
    'wide, both signs': () => (random() < 0.4 ? -1 : 1) * 10 ** (random() * 16 - 8),
    'next to bucket edges': () => 2 ** Math.floor(random() * 20 - 10) * (1 + (Math.floor(random() * 3) - 1) * 2 ** -52),
  };
  for (const [name, next] of Object.entries(distributions)) {
    test(name, () => {
      for (const alpha of [0.01, 0.001, 0.1]) {
        // 4,096 buckets at 0.1% are 11 binary orders of magnitude: only data within those keeps every quantile.
        if (alpha === 0.001 && !['uniform', 'one value', 'integers with zeros'].includes(name)) continue;
        const values = Array.from({ length: 1500 }, next).filter((x) => alpha !== 0.001 || Math.abs(x) > 1 || x === 0);
        checkGuarantee(values, alpha);
      }
    });
  }

  test('the guarantee holds for any finite doubles within 40 orders of magnitude', () => {
    const value = fc
      .tuple(fc.double({ min: 1, max: 2, noNaN: true }), fc.integer({ min: -25, max: 25 }), fc.boolean())
      .map(([m, e, negative]) => (negative ? -m : m) * 2 ** e);
    fc.assert(fc.property(fc.array(value, { minLength: 1, maxLength: 60 }), (values) => checkGuarantee(values, 0.01)));
  });

  test('the guarantee holds for any finite doubles, however far apart', () => {
    const normal = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => (Math.abs(x) < 2 ** -1020 ? 0 : x));
    fc.assert(fc.property(fc.array(normal, { minLength: 1 }), (values) => checkGuarantee(values, 0.01)));
  });

  test('one absurd value among latencies costs the others nothing', () => {
    const latencies = Array.from({ length: 100 }, (_, k) => (k + 1) / 1000);
    for (const absurd of [3.4028235e38, -1, Number.MAX_VALUE, -Number.MAX_VALUE, 1e-300]) {
      checkGuarantee([absurd, ...latencies], 0.01);
      checkGuarantee([...latencies, absurd], 0.01);
    }
  });

  test('high quantiles keep the guarantee after a collapse, for any negative values', () => {
    const values: number[] = [];
    for (let e = -1000; e <= 1000; e += 0.2) values.push(2 ** e, -(2 ** -e));
    for (let i = 0; i < 100_000; i++) values.push(1e299 * (1 + random()));
    const sketch = sketchOf(values);
    expect(sketch.positive.collapsed && sketch.negative.collapsed).toBe(true);
    expect(sketch.positive.size()).toBe(MAX_POSITIVE_BUCKETS);
    expect(buckets(sketch)).toBe(MAX_BUCKETS);
    const { value, low, high } = sketch.quantile(0.1);
    expect([low, high >= value, high < 2 ** 190]).toEqual([0, true, true]);
    const sorted = sortedCopy(values);
    for (const q of [0.2, 0.5, 0.9, 0.999, 1]) {
      const truth = sorted[nearestRank(q, sorted.length) - 1];
      expect(Math.abs(sketch.quantile(q).value / truth - 1)).toBeLessThanOrEqual(0.01 * ROUNDING);
    }
  });
});

describe('merging', () => {
  // Few orders of magnitude in some runs, so many in others that both stores collapse.
  const anyValue = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -50, max: 50 }),
    fc.constantFrom(0, -0, 1e-300, -1e300, 1e300, 5e-324, -5e-324, Number.MAX_VALUE),
  );

  test('merging in any order gives the same state where both stores collapse', () => {
    const random = uniform(11);
    const groups = Array.from({ length: 8 }, () =>
      Array.from({ length: 2000 }, () => (random() < 0.5 ? -1 : 1) * 2 ** (random() * 2000 - 1000)),
    );
    const whole = sketchOf(groups.flat());
    expect(buckets(whole)).toBe(MAX_BUCKETS);
    const onward = sketchOf([]);
    const back = sketchOf([]);
    const writer = new ByteWriter();
    for (const group of groups) onward.merge(sketchOf(group));
    for (const group of groups.toReversed()) {
      writer.reset();
      packSketch(sketchOf(group), writer);
      mergePacked(back, writer.take());
    }
    expect(onward.equals(whole)).toBe(true);
    expect(back.equals(whole)).toBe(true);
  });

  test('merging in any order and grouping gives the same state', () => {
    const parts = fc.array(fc.array(anyValue, { maxLength: 20 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(parts, fc.infiniteStream(fc.nat()), (groups, picks) => {
        const whole = new DDSketch();
        for (const value of groups.flat()) whole.insert(value);
        const pool = groups.map((group) => sketchOf(group));
        const writer = new ByteWriter();
        while (pool.length > 1) {
          const [a] = pool.splice(picks.next().value % pool.length, 1);
          const b = pool[picks.next().value % pool.length];
          if (picks.next().value % 2 === 0) {
            b.merge(a);
          } else {
            writer.reset();
            packSketch(a, writer);
            mergePacked(b, writer.take());
          }
        }
        expect(pool[0].equals(whole)).toBe(true);
        const shuffled = groups.flat().reverse();
        expect(sketchOf(shuffled).equals(whole)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('insertAll equals single inserts, sum included, and a count equals repeated inserts', () => {
    fc.assert(
      fc.property(fc.array(anyValue), (values) => {
        const one = new DDSketch();
        for (const value of values) one.insert(value);
        const all = sketchOf(values);
        expect(all.equals(one)).toBe(true);
        expect(all.sum).toBe(one.sum);
        expect(Number.isFinite(all.sum)).toBe(true);
      }),
    );
    const thrice = new DDSketch();
    thrice.insert(-2.5, 3);
    expect(thrice.equals(sketchOf([-2.5, -2.5, -2.5]))).toBe(true);
    const one = new DDSketch();
    one.insert(-2.5);
    expect(one.equals(thrice)).toBe(false);
  });

  test('a merge with itself doubles the counts, a copy is independent, and another accuracy is refused', () => {
    const sketch = sketchOf([-1, 0, 5]);
    const copy = sketch.copy();
    sketch.merge(sketch);
    expect(sketch.equals(sketchOf([-1, -1, 0, 0, 5, 5]))).toBe(true);
    expect(copy.equals(sketchOf([-1, 0, 5]))).toBe(true);
    expect(codeOf(() => sketch.merge(new DDSketch({ alpha: 0.02 })))).toBe('invalid_argument');
  });
});

test('a refused call changes nothing', () => {
  const sketch = sketchOf([1, 2]);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    expect(codeOf(() => sketch.insert(value))).toBe('invalid_argument');
    expect(codeOf(() => sketch.insertAll(Float64Array.of(3, value, 4)))).toBe('invalid_argument');
  }
  for (const count of [0, -1, 1.5, Number.NaN]) expect(codeOf(() => sketch.insert(1, count))).toBe('invalid_argument');
  expect(codeOf(() => sketch.insert(1, MAX_COUNT))).toBe('out_of_range');
  expect(codeOf(() => sketch.insertAll(Float64Array.of(1), 0, 2))).toBe('invalid_argument');
  expect(codeOf(() => sketch.quantile(1.01))).toBe('invalid_argument');
  expect(codeOf(() => sketch.shareAtMost(Number.NaN))).toBe('invalid_argument');
  for (const alpha of [0, 1, Number.NaN]) expect(codeOf(() => new DDSketch({ alpha }))).toBe('invalid_argument');
  expect(sketch.equals(sketchOf([1, 2]))).toBe(true);
  expect(new DDSketch().quantile(0.5)).toEqual({ value: Number.NaN, low: Number.NaN, high: Number.NaN });
});

test('the highest doubles have bounds', () => {
  checkGuarantee([Number.MAX_VALUE, Number.MAX_VALUE * (1 - 2 ** -53), 0, -Number.MAX_VALUE], 0.01);
  checkGuarantee([Number.MAX_VALUE * (1 - 2 ** -52), Number.MAX_VALUE * (1 - 2 ** -50), 1e308], 0.01);
});

test('shares at the ends and at zero are exact', () => {
  const sketch = sketchOf([-5, 0, 0, 5e-324, 7, 100, 200, 300]);
  expect(sketch.shareAtMost(0)).toEqual({ share: 3 / 8, low: 3 / 8, high: 3 / 8 });
  expect(sketch.shareAtMost(-5.2).high).toBe(0);
  expect(sketch.shareAtMost(300)).toEqual({ share: 1, low: 1, high: 1 });
  expect(sketch.shareAtMost(50)).toEqual({ share: 5 / 8, low: 5 / 8, high: 5 / 8 });
});

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (isTidemarkError(error)) return error.code;
    throw error;
  }
  return 'none';
}
