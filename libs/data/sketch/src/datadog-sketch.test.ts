import { describe, expect, test } from '@jest/globals';
import { ByteWriter } from '@tidemark/bytes';
import { isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { DATADOG_SKETCH_ERROR, type DatadogSketch, fromDatadogSketch, packSketch, unpackSketch } from './index.ts';

/** The agent's key of a value, by the definition that its sketches have: the nearest power of 1 + 1/64, from 1e-9 on. */
function agentKey(value: number): number {
  const ln = Math.log1p(1 / 64);
  const bias = 1 - Math.floor(Math.log(1e-9) / ln);
  const magnitude = Math.abs(value);
  if (magnitude < 1e-9) return 0;
  const key = Math.max(1, Math.round(Math.log(magnitude) / ln) + bias);
  return value < 0 ? -key : key;
}

/** A sketch as an agent makes it of `values`. */
function agentSketch(values: readonly number[]): DatadogSketch {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(agentKey(value), (counts.get(agentKey(value)) ?? 0) + 1);
  const buckets = [...counts].sort(([a], [b]) => a - b);
  return {
    keys: buckets.map(([key]) => key),
    counts: buckets.map(([, count]) => count),
    min: Math.min(...values),
    max: Math.max(...values),
    sum: values.reduce((sum, value) => sum + value, 0),
  };
}

const magnitude = fc.double({ min: 1e-8, max: 1e12, noNaN: true });
const values = fc.array(
  fc.oneof(
    magnitude,
    magnitude.map((one) => -one),
    fc.constant(0),
  ),
  {
    minLength: 1,
    maxLength: 300,
  },
);

describe("a sketch of Datadog's agents", () => {
  test('keeps count, sum, min and max, and each quantile within the stated error', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, q) => {
        const sketch = fromDatadogSketch(agentSketch(all));
        const sorted = Float64Array.from(all).sort();
        expect(sketch.count).toBe(all.length);
        expect([sketch.min, sketch.max]).toEqual([sorted[0] + 0, sorted[sorted.length - 1] + 0]);
        expect(sketch.sum).toBe(agentSketch(all).sum);
        // Whichever rank rule a quantile follows, it is one of the neighbouring values.
        const rank = q * (all.length - 1);
        const near = [Math.floor(rank), Math.min(all.length - 1, Math.floor(rank) + 1)].map((i) => sorted[i]);
        const { value } = sketch.quantile(q);
        const isNear = near.some((truth) => Math.abs(value - truth) <= Math.abs(truth) * DATADOG_SKETCH_ERROR + 1e-12);
        if (!isNear) throw new Error(`q ${q}: ${value}, not near ${near.join(' or ')}`);
      }),
    );
    expect(DATADOG_SKETCH_ERROR).toBeLessThan(0.018);
  });

  test('is a valid packed sketch with any summary', () => {
    const any = fc.double();
    const keys = fc.array(fc.integer({ min: -32_766, max: 32_766 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(keys, any, any, any, (some, min, max, sum) => {
        const out = new ByteWriter();
        const sketch = fromDatadogSketch({ keys: some, counts: some.map((_, i) => 1 + (i % 3)), min, max, sum });
        packSketch(sketch, out);
        expect(unpackSketch(out.take()).equals(sketch)).toBe(true);
        expect(sketch.count).toBe(some.reduce((total, _, i) => total + 1 + (i % 3), 0));
      }),
    );
  });

  test('counts of a repeated key are added, and keys may be in any order', () => {
    const sketch = fromDatadogSketch({ keys: [1338, 1300, 1338], counts: [65_535, 2, 5], min: 0, max: 0, sum: 0 });
    expect(sketch.count).toBe(65_542);
    expect(sketch.quantile(1).value).toBeCloseTo(1, 1);
  });

  test('an extreme below collapsed keys is kept, and one within the keys is not used', () => {
    const collapsed = fromDatadogSketch({ keys: [1338, 1400], counts: [5, 5], min: 1e-6, max: 2.6, sum: 18 });
    expect([collapsed.min, collapsed.count]).toEqual([1e-6, 10]);
    const within = fromDatadogSketch({ keys: [1338, 1400], counts: [5, 5], min: 2, max: 1.5, sum: 1e9 });
    expect(within.min).toBeCloseTo(1, 1);
    expect(within.max).toBeCloseTo(2.6, 1);
    expect(within.sum).toBeLessThan(20);
  });

  test.each<[string, Partial<DatadogSketch>]>([
    ['without values', { keys: [], counts: [] }],
    ['with empty keys only', { keys: [1], counts: [0] }],
    ['with fewer counts than keys', { keys: [1, 2], counts: [1] }],
    ['with an infinite key', { keys: [32_767], counts: [1] }],
    ['with a key that is not a number', { keys: [Number.NaN], counts: [1] }],
    ['with a negative count', { keys: [1, 2], counts: [-1, 2] }],
    ['with a fractional count', { keys: [1], counts: [0.5] }],
    ['with more values than a sketch can have', { keys: [1, 2], counts: [2 ** 52, 2 ** 52] }],
  ])('%s is refused', (_, wrong) => {
    const convert = () => fromDatadogSketch({ keys: [1], counts: [1], min: 0, max: 0, sum: 0, ...wrong });
    expect(convert).toThrow();
    try {
      convert();
    } catch (error) {
      expect(isTidemarkError(error, 'invalid_argument') && error.detail.field).toMatch(/^[kn]$/);
    }
  });
});
