import { describe, expect, test } from '@jest/globals';
import { Bitmap } from '@tidemark/bitmap';
import { compareBytes, IdHash } from '@tidemark/bytes';
import { SERIES_CLASS } from '@tidemark/model';
import { finishAtOnce } from '@tidemark/ports';
import fc from 'fast-check';
import { FactHash, SEEN, UNKNOWN_SEEN } from './fact-hash.ts';
import { orderBySeriesId } from './id-order.ts';
import { Postings } from './postings.ts';
import { TagSeriesTable } from './tag-series-table.ts';
import { ABSENT, PairMap } from './typed-list.ts';
import { wildcard } from './wildcard.ts';

test('postings of any lengths that are filled in turns keep their own series', () => {
  const lengths = fc.array(fc.constantFrom(1, 2, 4, 5, 8, 9, 255, 256, 257, 600), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(lengths, (wanted) => {
      const postings = new Postings();
      const model = wanted.map(() => new Set<number>());
      let dense = 0;
      for (let round = 0; round < Math.max(...wanted); round++) {
        for (let tag = 0; tag < wanted.length; tag++) {
          if (round >= wanted[tag]) continue;
          postings.add(3, tag, tag % 2, dense);
          model[tag].add(dense++);
        }
      }
      const even = Bitmap.of(Array.from({ length: dense }, (_, i) => i).filter((i) => i % 2 === 0));
      const all = new Bitmap();
      model.forEach((set, tag) => {
        const expected = [...set].filter((i) => i % 2 === 0);
        expect([...postings.within(postings.slot(3, tag), even).toArray()]).toEqual(expected);
        postings.collect(postings.slot(3, tag), even, all);
      });
      expect(all.toArray()).toEqual(even.toArray());
      const odd: number[] = [];
      for (const slot of postings.slotsOf(3, 1)) odd.push(postings.tagOfSlot(slot));
      expect(odd.length).toBe(postings.valueCount(3, 1));
      expect(odd.every((tag) => tag % 2 === 1)).toBe(true);
      expect(postings.slot(2, 0)).toBe(ABSENT);
    }),
    { numRuns: 30 },
  );
});

test('series ids that share their first bytes are found and sorted by all sixteen', () => {
  const id = fc
    .tuple(fc.constantFrom(0, 0x80, 0xff), fc.constantFrom(0, 1, 0xff), fc.uint8Array({ minLength: 2, maxLength: 2 }))
    .map(([first, fourth, last]) => Buffer.from([first, 0, 0, fourth, ...new Array(10).fill(7), ...last]));
  fc.assert(
    fc.property(fc.uniqueArray(id, { selector: (each) => each.toString('hex'), maxLength: 600 }), (ids) => {
      const series = new TagSeriesTable();
      ids.forEach((each, i) => {
        expect(series.find(each)).toBe(ABSENT);
        expect(series.add(each, i, SERIES_CLASS.count, [i, i + 1])).toBe(i);
      });
      ids.forEach((each, i) => {
        expect(series.find(each)).toBe(i);
      });
      // Every second series, so that positions are not dense ids.
      const listed = ids.map((_, i) => i).filter((i) => i % 2 === 1);
      const order = finishAtOnce(orderBySeriesId(Uint32Array.from(listed), series));
      expect([...order].map((at) => ids[listed[at]])).toEqual(listed.map((i) => ids[i]).sort(compareBytes));
    }),
    { numRuns: 30 },
  );
});

test('series ids and pairs that are next to each other without a key cost as much as any others', () => {
  const count = 20_000;
  const series = new TagSeriesTable(new IdHash(Buffer.alloc(16, 5)));
  const id = Buffer.alloc(16);
  for (let i = 0; i < count; i++) {
    id.writeUInt32LE(i % 500, 0);
    id.writeUInt32LE(i, 4);
    series.add(id, 0, SERIES_CLASS.count, []);
  }
  expect(series.probes).toBeLessThan(count * 3);

  // Pairs that a sender of numbers from 0 to 2,000 chooses for a table whose key it knows.
  const known = closePairs(new Uint32Array([0, 0, 0x9e3779b1, 0x85ebca77]), count);
  const cost = (key: Uint32Array): number => {
    const map = new PairMap(new Uint8Array(key.buffer));
    for (const [left, right] of known) map.put(left, right, 1);
    return map.probes;
  };
  expect(cost(new Uint32Array([0, 0, 0x9e3779b1, 0x85ebca77]))).toBeGreaterThan(count * 100);
  expect(cost(new Uint32Array([0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c]))).toBeLessThan(count * 3);
});

/** Returns pairs whose slots are within a small part of a table with this key. */
function closePairs(key: Uint32Array, count: number): [number, number][] {
  const [addLeft, addRight, timesLeft, timesRight] = key;
  const found: [number, number][] = [];
  for (let left = 0; left < 3000 && found.length < count; left++) {
    for (let right = 0; right < 3000 && found.length < count; right++) {
      let h = Math.imul(left + addLeft, timesLeft | 1);
      h = Math.imul((h ^ (h >>> 16)) + right + addRight, timesRight | 1);
      h = Math.imul(h ^ (h >>> 15), 0xc2b2ae3d);
      if (((h ^ (h >>> 13)) & 0xffff) < 512) found.push([left, right]);
    }
  }
  return found;
}

test('PairMap finds the pairs that were put, and no others', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(fc.nat(40), fc.nat(40)), { selector: String, maxLength: 400 }), (pairs) => {
      const map = new PairMap();
      pairs.forEach(([left, right], i) => {
        map.put(left, right, i);
      });
      const model = new Map(pairs.map((pair, i) => [String(pair), i]));
      const wrong: string[] = [];
      for (let left = 0; left <= 40; left++) {
        for (let right = 0; right <= 40; right++) {
          const pair = `${left},${right}`;
          if (map.get(left, right) !== (model.get(pair) ?? ABSENT)) wrong.push(pair);
        }
      }
      expect(wrong).toEqual([]);
    }),
    { numRuns: 20 },
  );
});

describe('wildcard', () => {
  test('agrees with a regular expression', () => {
    const part = fc.constantFrom('a', 'b', 'ab', '*');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 7 }), fc.array(fc.constantFrom('a', 'b', 'aab')), (parts, texts) => {
        const pattern = parts.join('');
        const text = texts.join('');
        expect(wildcard(pattern)(text)).toBe(new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text));
      }),
      { numRuns: 1000 },
    );
  });

  test('is fast for a hostile pattern', () => {
    expect(wildcard(`${'a*'.repeat(100)}b`)('a'.repeat(4000))).toBe(false);
  });
});

describe('FactHash', () => {
  test('is a sum: the order does not matter, and a removed fact leaves no trace', () => {
    const facts = Array.from({ length: 20 }, (_, i) => ({ id: Buffer.alloc(16, i), day: i % 3 }));
    const forward = new FactHash();
    const backward = new FactHash();
    for (const { id, day } of facts) forward.add(id, day, SEEN);
    backward.add(facts[0].id, 9, UNKNOWN_SEEN);
    for (const { id, day } of facts.toReversed()) backward.add(id, day, SEEN);
    expect(backward.toString()).not.toBe(forward.toString());
    backward.remove(facts[0].id, 9, UNKNOWN_SEEN);
    expect(backward.toString()).toBe(forward.toString());
  });

  test('has the golden value, so that replicas of any version agree', () => {
    const hash = new FactHash();
    hash.add(Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'), 20_000, SEEN);
    expect(hash.toString()).toBe('35dab30880994f4b63115ae277801bda');
  });

  test('one bit of a fact changes all words', () => {
    const words = (id: Buffer, day: number): Uint32Array => {
      const hash = new FactHash();
      hash.add(id, day, SEEN);
      return hash.sums;
    };
    const base = words(Buffer.alloc(16), 20_000);
    const changed = [words(Buffer.alloc(16), 20_001)];
    for (let bit = 0; bit < 128; bit++) {
      const id = Buffer.alloc(16);
      id[bit >> 3] = 1 << (bit & 7);
      changed.push(words(id, 20_000));
    }
    for (const each of changed) expect([...each].every((word, i) => word !== base[i])).toBe(true);
  });
});
