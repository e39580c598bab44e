import { describe, expect, test } from '@jest/globals';
import { ByteWriter, fromHex, toHex } from '@tidemark/bytes';
import { isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { DDSketch, mergePacked, packSketch, unpackSketch } from './index.ts';

function sketchOf(values: readonly number[], alpha?: number): DDSketch {
  const sketch = new DDSketch({ alpha });
  for (const value of values) sketch.insert(value);
  return sketch;
}

function pack(sketch: DDSketch): Buffer {
  const writer = new ByteWriter();
  packSketch(sketch, writer);
  return writer.take();
}

const finite = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -1000, max: 1000 }),
  fc.double({ min: 0.001, max: 10, noNaN: true }),
);

/** Version 1, as in docs/formats/sketch.md. */
const GOLDEN: readonly [string, readonly number[], number | undefined, string][] = [
  ['empty', [], undefined, '0108'],
  ['one value', [42, 42], undefined, '0110020000000000004540'],
  ['zeros at another accuracy', [0], 0.02, '01147b14ae47e17a943f010000000000000000'],
  [
    'both signs',
    [-1, 0, 1, 1.01, 3],
    undefined,
    '0100000000000000f0bf00000000000008400ad7a3703d0a104001030002020336010002',
  ],
];

describe('the packed format', () => {
  for (const [name, values, alpha, hex] of GOLDEN) {
    test(`has the golden bytes of ${name}`, () => {
      expect(toHex(pack(sketchOf(values, alpha)))).toBe(hex);
      expect(unpackSketch(fromHex(hex)).equals(sketchOf(values, alpha))).toBe(true);
    });
  }

  test('any sketch is unpacked as it was, sum included, and packs to the same bytes', () => {
    fc.assert(
      fc.property(fc.array(finite), fc.constantFrom(0.01, 0.02), (values, alpha) => {
        const sketch = sketchOf(values, alpha);
        const bytes = pack(sketch);
        const back = unpackSketch(bytes);
        expect(back.equals(sketch)).toBe(true);
        expect(back.sum).toBe(sketch.sum);
        expect(toHex(pack(back))).toBe(toHex(bytes));
        const target = sketchOf([1, 2], alpha);
        mergePacked(target, bytes);
        expect(target.equals(sketchOf([1, 2, ...values], alpha))).toBe(true);
      }),
    );
  });

  test('hostile bytes give data_loss or a valid sketch, and never change the target', () => {
    const mutated = fc
      .tuple(fc.array(finite), fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }), fc.nat(40))
      .map(([values, changes, cut]) => {
        const bytes = pack(sketchOf(values));
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        return bytes.subarray(0, Math.max(0, bytes.length - Math.max(0, cut - 20)));
      });
    const framed = fc.uint8Array({ maxLength: 60 }).map((tail) => Uint8Array.of(1, ...tail));
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(mutated, framed, fc.uint8Array()), (bytes) => {
        const target = new DDSketch();
        try {
          const sketch = unpackSketch(bytes);
          accepted++;
          for (const q of [0, 0.5, 1]) {
            const { value, low, high } = sketch.quantile(q);
            if (sketch.count > 0) expect(low <= value && value <= high).toBe(true);
          }
          expect(unpackSketch(pack(sketch)).equals(sketch)).toBe(true);
        } catch (error) {
          if (!isTidemarkError(error, 'data_loss')) throw error;
          expect(() => mergePacked(target, bytes)).toThrow();
          expect(target.equals(new DDSketch())).toBe(true);
        }
      }),
      { numRuns: 1500 },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  const LIES: readonly [string, (w: ByteWriter) => void][] = [
    ['a huge number of buckets', (w) => lie(w, 1, 1, 1, 0, () => w.varint(2 ** 50))],
    ['more buckets than a sketch has', (w) => lie(w, 1, 1, 1, 0, () => buckets(w, -2100, Array(4097).fill(2)))],
    ['more positive buckets than a store has', (w) => lie(w, 1, 1, 1, 0, () => buckets(w, -2100, Array(4096).fill(2)))],
    ['a bucket no double has', (w) => lie(w, 1, 1, 1, 0, () => buckets(w, 40_000, [2]))],
    ['counts beyond the limit', (w) => lie(w, 1, 1, 1, 2 ** 53 - 1, () => buckets(w, 0, [2]))],
    ['an empty bucket', (w) => lie(w, 1, 1, 1, 0, () => buckets(w, 0, [0]))],
    ['extremes outside of the buckets', (w) => lie(w, 1, 50, 1, 0, () => buckets(w, 0, [2]))],
    ['min above max', (w) => lie(w, 2, 1, 1, 0, () => buckets(w, 0, [2]))],
    ['a NaN sum', (w) => lie(w, 1, 1, Number.NaN, 0, () => buckets(w, 0, [2]))],
    ['no values', (w) => lie(w, 0, 0, 0, 0, () => w.varint(0))],
  ];
  for (const [name, write] of LIES) {
    test(`refuses ${name}`, () => {
      const writer = new ByteWriter();
      write(writer);
      expect(() => unpackSketch(writer.take())).toThrow(expect.objectContaining({ code: 'data_loss' }));
    });
  }
});

/** Writes a record of version 1 with the given summary, a positive store by `positive`, and no negative store. */
function lie(w: ByteWriter, min: number, max: number, sum: number, zeros: number, positive: () => void): void {
  w.u8(1);
  w.u8(0);
  w.f64(min);
  w.f64(max);
  w.f64(sum);
  w.varint(zeros);
  positive();
  w.varint(0);
}

function buckets(w: ByteWriter, low: number, tokens: readonly number[], gap = 0): void {
  w.varint(tokens.length);
  w.signedVarint(low);
  for (const token of tokens) {
    w.varint(token);
    if (token % 2 === 1) w.varint(gap);
  }
}
