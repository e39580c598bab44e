import { BinaryWriter } from '@bufbuild/protobuf/wire';
import official from '@datadog/sketches-js';
import { CubicallyInterpolatedMapping } from '@datadog/sketches-js/dist/ddsketch/mapping/index.js';
import { describe, expect, test } from '@jest/globals';
import { isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { DDSketch, fromOfficialProtobuf, nearestRank, toOfficialProtobuf } from './index.ts';

const QS = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1];
const VALUES = Array.from({ length: 2000 }, (_, i) => (i % 7 === 0 ? 0 : ((i * 7919) % 2003) - 500) * 0.37);

function sketchOf(values: readonly number[], alpha = 0.01): DDSketch {
  const sketch = new DDSketch({ alpha });
  for (const value of values) sketch.insert(value);
  return sketch;
}

/** An official sketch with the cubic mapping, which the library contains but does not export. */
function officialCubic(values: readonly number[], alpha: number): InstanceType<typeof official.DDSketch> {
  const sketch = new official.DDSketch({ relativeAccuracy: alpha });
  sketch.mapping = new CubicallyInterpolatedMapping(alpha);
  for (const value of values) sketch.accept(value);
  return sketch;
}

describe('the official JavaScript library', () => {
  test('has the same keys and edges', () => {
    const theirs = new CubicallyInterpolatedMapping(0.01);
    const { mapping } = new DDSketch();
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (value) => {
        const key = mapping.keyOf(value);
        expect(key).toBe(theirs.key(value));
        expect(Math.abs(mapping.valueOf(key) / theirs.value(key) - 1)).toBeLessThan(1e-12);
      }),
    );
  });

  test('writes a cubic sketch that is converted bucket by bucket', () => {
    for (const alpha of [0.01, 0.03]) {
      const back = fromOfficialProtobuf(officialCubic(VALUES, alpha).toProto(), { alpha });
      const ours = sketchOf(VALUES, alpha);
      expect(back.positive.equals(ours.positive)).toBe(true);
      expect(back.negative.equals(ours.negative)).toBe(true);
      expect(back.zeroCount).toBe(ours.zeroCount);
      expect(back.min <= ours.min && ours.max <= back.max).toBe(true);
      expect(Math.abs(back.sum - ours.sum)).toBeLessThan(alpha * VALUES.reduce((a, b) => a + Math.abs(b), 0));
    }
  });

  test('writes a logarithmic sketch of another accuracy that is converted within the sum of both errors', () => {
    const theirs = new official.DDSketch({ relativeAccuracy: 0.02 });
    for (const value of VALUES) theirs.accept(value);
    const sketch = fromOfficialProtobuf(theirs.toProto());
    const sorted = Float64Array.from(VALUES).sort();
    expect(sketch.count).toBe(VALUES.length);
    for (const q of QS) {
      const truth = sorted[nearestRank(q, VALUES.length) - 1];
      expect(Math.abs(sketch.quantile(q).value - truth)).toBeLessThanOrEqual(Math.abs(truth) * 0.031);
    }
  });

  test('reads the messages of this package', () => {
    const ours = sketchOf(VALUES);
    const theirs = official.DDSketch.fromProto(toOfficialProtobuf(ours));
    // The library's fromProto leaves the total count at zero.
    theirs.count = ours.count;
    for (const q of [0.05, 0.25, 0.5, 0.75, 0.95, 0.99]) {
      // The library takes the lower quantile of count - 1.
      const rank = (nearestRank(q, ours.count) - 1) / (ours.count - 1);
      expect(Math.abs(theirs.getValueAtQuantile(rank + 1e-12) - ours.quantile(q).value)).toBeLessThanOrEqual(
        Math.abs(ours.quantile(q).value) * 1e-9,
      );
    }
  });
});

test('messages of both conventions are read as they were written', () => {
  for (const keys of ['upper', 'lower'] as const) {
    for (const values of [VALUES, [5e-324, -1e-310], [1e300, Number.MAX_VALUE, -Number.MAX_VALUE]]) {
      const ours = sketchOf(values);
      const back = fromOfficialProtobuf(toOfficialProtobuf(ours, { keys }), { keys });
      expect(back.positive.equals(ours.positive) && back.negative.equals(ours.negative)).toBe(true);
    }
  }
});

/** A DDSketch message of sparse buckets. */
function message(gamma: number, interpolation: number, offset: number, bins: readonly [number, number][]): Uint8Array {
  const out = new BinaryWriter();
  out.uint32(10).fork().uint32(9).double(gamma).uint32(17).double(offset).uint32(24).int32(interpolation).join();
  out.uint32(18).fork();
  for (const [key, count] of bins) out.uint32(10).fork().uint32(8).sint32(key).uint32(17).double(count).join();
  out.join();
  return out.finish();
}

test('the mappings of Go are read, where a key begins at its power of gamma', () => {
  const gamma = 1.02;
  for (const [interpolation, log2] of [
    [0, (s: number) => Math.log2(1 + s)],
    [1, (s: number) => s],
    [2, (s: number) => (s * (4 - s)) / 3],
    [3, (s: number) => ((6 / 35) * s - 3 / 5) * s * s + (10 / 7) * s],
  ] as const) {
    for (const value of [0.013, 1.2, 7, 1e9]) {
      const exponent = Math.floor(Math.log2(value));
      const position = exponent + log2(value / 2 ** exponent - 1);
      const key = Math.floor(position / Math.log2(gamma) + 0.3);
      const sketch = fromOfficialProtobuf(message(gamma, interpolation, 0.3, [[key, 1]]), { keys: 'lower' });
      expect(Math.abs(sketch.quantile(0.5).value / value - 1)).toBeLessThan(0.03);
    }
  }
});

test('fractional counts are rounded along the running total', () => {
  const bins: [number, number][] = Array.from({ length: 100 }, (_, i) => [i, 0.25]);
  expect(fromOfficialProtobuf(message(1.02, 0, 0, bins)).count).toBe(25);
  expect(
    fromOfficialProtobuf(
      message(1.02, 0, 0, [
        [0, 3.6],
        [1, 3.6],
        [1000, 0.2],
      ]),
    ).count,
  ).toBe(7);
  expect(fromOfficialProtobuf(message(1.02, 0, 0, [[0, 0.3]])).count).toBe(0);
});

test('hostile messages give invalid_argument or a valid sketch', () => {
  const start = toOfficialProtobuf(sketchOf(VALUES.slice(0, 30)));
  const mutated = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }).map((changes) => {
    const bytes = Uint8Array.from(start);
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array()), (bytes) => {
      try {
        const sketch = fromOfficialProtobuf(bytes);
        if (sketch.count > 0) expect(Number.isFinite(sketch.quantile(0.5).value)).toBe(true);
      } catch (error) {
        if (!isTidemarkError(error, 'invalid_argument')) throw error;
      }
    }),
    { numRuns: 2000 },
  );
  const refused: Uint8Array[] = [
    Uint8Array.of(),
    message(1, 0, 0, []),
    message(Number.NaN, 0, 0, []),
    message(1.02, 4, 0, []),
    message(1.02, 0, Number.POSITIVE_INFINITY, []),
    message(1.02, 0, 0, [[0, -1]]),
    message(1.02, 0, 0, [[0, Number.NaN]]),
    message(1.02, 0, 0, [
      [0, 2 ** 52 - 1],
      [1, 2 ** 52 - 1],
    ]),
    new Uint8Array(100_000).fill(0x0b),
  ];
  for (const bytes of refused) {
    expect(() => fromOfficialProtobuf(bytes)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  }
  expect(() =>
    fromOfficialProtobuf(
      message(1.02, 0, 0, [
        [0, 1],
        [1, 1],
        [2, 1],
      ]),
      { maxBuckets: 2 },
    ),
  ).toThrow('buckets');
});
