import { describe, expect, test } from '@jest/globals';
import { AssertionError, isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { Bitmap, deserializeBitmap, serializeBitmap } from './index.ts';

/** Sets that cover every form: single values, long runs, dense noise, values far apart. */
const values = fc
  .array(
    fc.oneof(
      fc.tuple(fc.nat(200_000), fc.constant(1), fc.constant(1)),
      fc.tuple(fc.nat(200_000), fc.nat(9_000), fc.constant(1)),
      fc.tuple(fc.nat(130_000), fc.nat(7_000), fc.integer({ min: 2, max: 5 })),
      fc.tuple(fc.integer({ min: 0xffff_0000, max: 0xffff_fff0 }), fc.nat(3), fc.constant(2)),
    ),
    { maxLength: 6 },
  )
  .map((parts) => {
    const set = new Set<number>();
    for (const [start, count, step] of parts) for (let i = 0; i < count; i++) set.add(start + i * step);
    return set;
  });

function sorted(set: Iterable<number>): number[] {
  return [...set].sort((a, b) => a - b);
}

function expectSame(bitmap: Bitmap, set: ReadonlySet<number>): void {
  expect(bitmap.size).toBe(set.size);
  expect(bitmap.isEmpty).toBe(set.size === 0);
  expect(bitmap.last()).toBe(sorted(set).at(-1) ?? -1);
  expect(Buffer.compare(Buffer.from(bitmap.toArray().buffer), Buffer.from(Uint32Array.from(sorted(set)).buffer))).toBe(
    0,
  );
}

describe('Bitmap against Set', () => {
  test('and, or and andNot agree with Set, new and in place, and do not change their operands', () => {
    fc.assert(
      fc.property(values, values, fc.boolean(), fc.boolean(), (left, right, optimizeLeft, optimizeRight) => {
        const a = Bitmap.of(left);
        const b = new Bitmap();
        b.addAll(sorted(right));
        if (optimizeLeft) a.optimize();
        if (optimizeRight) b.optimize();
        const expected = {
          and: new Set([...left].filter((value) => right.has(value))),
          or: new Set([...left, ...right]),
          andNot: new Set([...left].filter((value) => !right.has(value))),
        };
        expectSame(a.and(b), expected.and);
        expectSame(a.or(b), expected.or);
        expectSame(a.andNot(b), expected.andNot);
        expectSame(a.clone().andInPlace(b), expected.and);
        expectSame(a.clone().orInPlace(b), expected.or);
        expectSame(a.clone().andNotInPlace(b), expected.andNot);
        const changed = a.or(b);
        changed.addAll([1, 2, 3, 70_000, 131_072]);
        expectSame(a, left);
        expectSame(b, right);
      }),
      { numRuns: 60 },
    );
  });

  test('add returns whether a value is new in any form, and has agrees', () => {
    fc.assert(
      fc.property(values, fc.array(fc.nat(200_000), { maxLength: 50 }), (set, more) => {
        const model = new Set(set);
        const bitmap = deserializeBitmap(serializeBitmap(Bitmap.of(set)));
        for (const value of [...more, ...[...set].slice(-3).map((v) => (v + 1) % 2 ** 32)]) {
          expect(bitmap.has(value)).toBe(model.has(value));
          expect(bitmap.add(value)).toBe(!model.has(value));
          model.add(value);
        }
        expectSame(bitmap, model);
      }),
      { numRuns: 60 },
    );
  });

  test('or with itself changes nothing', () => {
    const bitmap = Bitmap.of([1, 5, 70_000]);
    expectSame(bitmap.orInPlace(bitmap), new Set([1, 5, 70_000]));
  });
});

describe('serialized bitmap', () => {
  test('decodes to the same set, and its bytes depend on the set alone', () => {
    fc.assert(
      fc.property(values, (set) => {
        const bytes = serializeBitmap(Bitmap.of(set));
        expectSame(deserializeBitmap(bytes), set);
        expect(serializeBitmap(Bitmap.of(sorted(set).reverse()))).toEqual(bytes);
        expect(serializeBitmap(deserializeBitmap(bytes))).toEqual(bytes);
      }),
      { numRuns: 60 },
    );
  });

  test('has the golden bytes of version 1', () => {
    const array = [3, 9, 70_000];
    const runs = Array.from({ length: 1000 }, (_, i) => 131_072 + i);
    expect(serializeBitmap(Bitmap.of([...array, ...runs])).toString('hex')).toBe(
      `0103${'000000010003000900'}${'0100000000'}${'7011'}${'020002e70300000000e703'}`,
    );
    const bits = Bitmap.of(Array.from({ length: 32_768 }, (_, i) => i * 2));
    expect(serializeBitmap(bits).toString('hex')).toBe(`0101${'000001ff7f'}${'55'.repeat(8192)}`);
  });

  test('a full container is one run', () => {
    const bitmap = Bitmap.of(Array.from({ length: 65_536 }, (_, i) => i));
    expect(serializeBitmap(bitmap).length).toBe(13);
    expect(deserializeBitmap(serializeBitmap(bitmap)).size).toBe(65_536);
  });

  test('a number of containers with more bytes than it needs is data_loss', () => {
    expect(() => deserializeBitmap(Buffer.from('018000', 'hex'))).toThrow(
      expect.objectContaining({ code: 'data_loss' }),
    );
  });

  test('hostile bytes give data_loss or a valid bitmap', () => {
    const check = (bytes: Uint8Array): void => {
      try {
        expect(serializeBitmap(deserializeBitmap(bytes))).toEqual(Buffer.from(bytes));
      } catch (error) {
        if (error instanceof AssertionError || !isTidemarkError(error, 'data_loss')) throw error;
      }
    };
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), (set, at, flip, cut) => {
        const bytes = serializeBitmap(Bitmap.of(set));
        const position = at % bytes.length;
        bytes[position] ^= flip;
        check(cut ? bytes.subarray(0, position) : bytes);
      }),
      { numRuns: 200 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), check));
  });
});
