import { describe, expect, test } from '@jest/globals';
import { ByteWriter, fromHex, toHex } from '@tidemark/bytes';
import { isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { HyperLogLog, packHyperLogLog, unpackHyperLogLog } from './index.ts';

/** 32 well-mixed bits of a counter (the finalizer of MurmurHash3). */
function mix(x: number): number {
  let h = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function pack(set: HyperLogLog): Buffer {
  const writer = new ByteWriter();
  packHyperLogLog(set, writer);
  return writer.take();
}

describe('the estimate', () => {
  test('is within 4 standard errors at every size, sparse or dense', () => {
    const set = new HyperLogLog();
    expect(set.estimate()).toBe(0);
    let next = 10;
    for (let n = 1; n <= 1_000_000; n++) {
      set.insertHash(mix(n), mix(n ^ 0x5bd1e995));
      if (n !== next && n !== 1) continue;
      expect(Math.abs(set.estimate() - n)).toBeLessThanOrEqual(Math.max(0.5, n * 4 * 0.0081));
      if (n === next) next = Math.ceil(next * 1.7);
    }
    expect(set.sparse).toBe(false);
  });

  test('is right up to 2^40, with registers drawn from the distribution of so many hashes', () => {
    for (const exponent of [20, 30, 40]) {
      for (let trial = 0; trial < 5; trial++) {
        const set = new HyperLogLog();
        const perRegister = 2 ** exponent / set.registerCount;
        for (let i = 0; i < set.registerCount; i++) {
          // P(rank <= k) = exp(-n / m · 2^-k), inverted at a uniform number.
          const u = (mix(trial * 1e6 + i * 31 + exponent) + 0.5) / 2 ** 32;
          const rank = Math.ceil(Math.log2(perRegister / -Math.log(u)));
          if (rank > 0) set.raise(i, Math.min(51, rank));
        }
        expect(Math.abs(set.estimate() / 2 ** exponent - 1)).toBeLessThan(4 * 0.0081);
      }
    }
  });

  test('counts texts, and a text equals its bytes', () => {
    const set = new HyperLogLog();
    for (let round = 0; round < 2; round++) for (let i = 0; i < 5000; i++) set.insertText(`host:web-${i}`);
    expect(Math.abs(set.estimate() / 5000 - 1)).toBeLessThan(0.03);
    const before = set.copy();
    set.insertBytes(Buffer.from('host:web-17'));
    expect(set.equals(before)).toBe(true);
    const long = 'ü'.repeat(2000);
    set.insertText(long);
    const bytes = before.copy();
    bytes.insertBytes(Buffer.from(long));
    expect(set.equals(bytes)).toBe(true);
    expect(set.equals(before)).toBe(false);
  });
});

test('merging in any order and grouping, in either form, gives the registers of the union', () => {
  const sizes = fc.array(fc.nat({ max: 700 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(sizes, fc.integer(), fc.infiniteStream(fc.nat()), (counts, seed, picks) => {
      const whole = new HyperLogLog({ precision: 11 });
      let n = seed;
      const pool = counts.map((count) => {
        const set = new HyperLogLog({ precision: 11 });
        for (let i = 0; i < count; i++, n++) {
          set.insertHash(mix(n), mix(~n));
          whole.insertHash(mix(n), mix(~n));
        }
        return set;
      });
      while (pool.length > 1) {
        const [a] = pool.splice(picks.next().value % pool.length, 1);
        pool[picks.next().value % pool.length].merge(a);
      }
      expect(pool[0].equals(whole)).toBe(true);
      expect(toHex(pack(pool[0]))).toBe(toHex(pack(whole)));
      expect(unpackHyperLogLog(pack(whole)).equals(whole)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

describe('the packed format', () => {
  test('has the golden bytes', () => {
    const set = new HyperLogLog();
    expect(toHex(pack(set))).toBe('010e0000');
    set.insertHash(0, 0);
    set.insertHash(0xffffffff, 0);
    set.raise(100, 3);
    expect(toHex(pack(set))).toBe('010e000333c33181cd3f');
    expect(unpackHyperLogLog(pack(set)).equals(set)).toBe(true);
    const dense = new HyperLogLog({ precision: 4 });
    for (let i = 0; i < 16; i++) dense.raise(i, i + 1);
    expect(toHex(pack(dense))).toBe('01040181301085712089b2308df340');
  });

  test('hostile bytes give data_loss or a valid set', () => {
    const small = new HyperLogLog({ precision: 4 });
    for (let i = 0; i < 16; i++) small.raise(i, i + 1);
    const dense = pack(small);
    const framed = fc
      .tuple(fc.constantFrom(4, 5, 14, 18), fc.constantFrom(0, 1), fc.uint8Array({ maxLength: 40 }))
      .map(([precision, form, tail]) => Uint8Array.of(1, precision, form, ...tail));
    const mutated = fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => {
      const bytes = Uint8Array.from(dense);
      bytes[at % bytes.length] = byte;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(framed, mutated, fc.uint8Array()), (bytes) => {
        try {
          const set = unpackHyperLogLog(bytes);
          expect(set.estimate()).toBeGreaterThanOrEqual(0);
          expect(unpackHyperLogLog(pack(set)).equals(set)).toBe(true);
        } catch (error) {
          if (!isTidemarkError(error, 'data_loss')) throw error;
        }
      }),
      { numRuns: 1000 },
    );
    for (const hex of [
      '020e0000',
      '01030000',
      '010e00ffffffffffff0f',
      '010e0001ffffff7f',
      '010e000140',
      '010e000035',
    ]) {
      expect(() => unpackHyperLogLog(fromHex(hex))).toThrow(expect.objectContaining({ code: 'data_loss' }));
    }
  });

  test('a precision out of its limits, or another precision, is refused', () => {
    expect(() => new HyperLogLog({ precision: 3 })).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect(() => new HyperLogLog().merge(new HyperLogLog({ precision: 12 }))).toThrow('precision');
  });
});
