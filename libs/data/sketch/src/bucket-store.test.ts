import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BucketStore, NO_HIGH, NO_LOW } from './bucket-store.ts';

/** Keys near each other, and keys that no array of limited length has together. */
const KEY = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.integer({ min: -36_000, max: 36_000 }));
const BUCKETS = fc.array(fc.tuple(KEY, fc.integer({ min: 1, max: 5 })), { maxLength: 60 });

type Counts = readonly (readonly [key: number, count: number])[];

function storeOf(counts: Counts): BucketStore {
  const store = new BucketStore();
  for (const [key, count] of counts) store.add(key, count);
  return store;
}

function listOf(store: BucketStore): [number, number][] {
  const list: [number, number][] = [];
  store.each((key, count) => list.push([key, count]));
  return list;
}

/** The same by a plain map. */
function modelOf(counts: Counts, limit = Number.POSITIVE_INFINITY): [number, number][] {
  const map = new Map<number, number>();
  for (const [key, count] of counts) map.set(key, (map.get(key) ?? 0) + count);
  const sorted = [...map].sort(([a], [b]) => a - b);
  const surplus = Math.max(0, sorted.length - limit);
  if (surplus > 0) sorted[surplus][1] += sorted.slice(0, surplus).reduce((sum, [, count]) => sum + count, 0);
  return sorted.slice(surplus);
}

describe('a bucket store', () => {
  test('has the counts of a plain map, in order, for keys that are far apart', () => {
    fc.assert(
      fc.property(BUCKETS, (counts) => {
        const store = storeOf(counts);
        const model = modelOf(counts);
        expect(listOf(store)).toEqual(model);
        expect([store.low(), store.high()]).toEqual([model.at(0)?.[0] ?? NO_LOW, model.at(-1)?.[0] ?? NO_HIGH]);
        expect([store.size(), store.total()]).toEqual([model.length, counts.reduce((sum, [, n]) => sum + n, 0)]);
        const keys = model.flatMap(([key, count]) => Array<number>(count).fill(key));
        expect(keys.map((_, i) => store.keyAt(i))).toEqual(keys);
        expect(store.keyAt(keys.length)).toBe(NO_HIGH);
        expect(store.copy().equals(store)).toBe(true);
        expect(storeOf(counts.toReversed()).equals(store)).toBe(true);
      }),
    );
  });

  test('collapses the lowest buckets to the same state, early, late, and in merges', () => {
    fc.assert(
      fc.property(BUCKETS, BUCKETS, fc.integer({ min: 1, max: 8 }), (a, b, limit) => {
        const late = storeOf([...a, ...b]);
        late.keepHighest(limit);
        expect(listOf(late)).toEqual(modelOf([...a, ...b], limit));
        const early = storeOf(a);
        early.keepHighest(limit);
        for (const [key, count] of b) early.add(key, count);
        early.keepHighest(limit);
        expect(early.equals(late)).toBe(true);
        const [one, other] = [storeOf(a), storeOf(b)];
        other.keepHighest(limit);
        one.merge(other);
        one.keepHighest(limit);
        expect(one.equals(late)).toBe(true);
        expect(late.collapsed).toBe(modelOf([...a, ...b]).length > limit);
      }),
    );
  });
});
