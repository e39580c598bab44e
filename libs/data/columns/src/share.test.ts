import { describe, expect, test } from '@jest/globals';
import { ByteWriter, fromHex, toHex } from '@tidemark/bytes';
import { AssertionError, isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import { decodeShare, encodeShare, inspectShare, PointColumns, SketchColumns } from './index.ts';

function ofBits(high: number, low: number): number {
  return new Float64Array(Uint32Array.of(low, high).buffer)[0];
}

/**
 * Values that are hard for a codec of floats: both zeros, NaN with payloads, infinities, denormals, the edges of
 * exactness.
 */
const adversarialValues = [
  0,
  -0,
  1,
  0.1,
  0.1 + 0.2,
  -99.95,
  1 / 3,
  Math.fround(1.1),
  Math.fround(-2.7),
  Number.NaN,
  ofBits(0x7ff80000, 0x1234),
  ofBits(0xfff80000, 0),
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MIN_VALUE,
  -Number.MIN_VALUE,
  ofBits(0x000fffff, 0xffffffff),
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  2 ** 51 - 1,
  -(2 ** 51 - 1),
  2 ** 51,
  2 ** 51 + 1,
  2 ** 53,
  2 ** 53 + 2,
  2 ** 32,
  1e15,
  1e22,
  1e300,
  1e-14,
  1e-15,
  123456789.123456,
];

/** The bits of every value, so that comparisons include NaN payloads and the sign of zero. */
function bitsOf(values: Float64Array<ArrayBuffer>): string {
  return toHex(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
}

const decimals = fc.tuple(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.nat(15)).map(([n, e]) => n / 10 ** e);
const wild = fc.oneof(fc.double(), fc.float(), fc.constantFrom(...adversarialValues));

/** Sequences of values that are typical of metrics, and others. */
const values = fc.oneof(
  fc.array(decimals, { maxLength: 400 }),
  fc.array(fc.oneof({ weight: 40, arbitrary: decimals }, { weight: 1, arbitrary: wild }), { maxLength: 400 }),
  fc.array(wild, { maxLength: 200 }),
  fc.array(fc.constantFrom(0, 1, 1, 4, 8, 1024), { maxLength: 400 }),
  fc.array(fc.float(), { maxLength: 300 }),
  fc.array(fc.integer({ min: -(2 ** 40), max: 2 ** 50 }), { maxLength: 300 }),
  fc.array(
    fc.integer({ min: 0, max: 2 ** 30 }).map((pages) => pages * 4096),
    { maxLength: 300 },
  ),
  fc.array(fc.nat(500), { maxLength: 400 }).map((steps) => {
    let sum = 123_456;
    return steps.map((step) => (sum += step));
  }),
);

const timeMs = fc.integer({ min: -(2 ** 51) + 1, max: 2 ** 51 - 1 });
const step = fc.constantFrom(0, 1, 2, 500, 90_000);

/** Steps between refs: runs, repeats, or any. */
const steps = fc.oneof(fc.constant([1]), fc.array(step, { minLength: 1, maxLength: 60 }), fc.constant([0, 0, 0, 0, 1]));

/** `count` times: all equal, regular, jittered, or any. */
function times(count: number): fc.Arbitrary<number[]> {
  const base = 1_700_000_000_000;
  return fc.oneof(
    timeMs.map((time) => new Array<number>(count).fill(time)),
    fc.nat(60_000).map((step) => Array.from({ length: count }, (_, i) => base + step * i)),
    fc.array(fc.nat(9), { minLength: count, maxLength: count }).map((n) => n.map((k) => base + 10_000 * k)),
    fc.array(fc.nat(99_999), { minLength: count, maxLength: count }).map((n) => n.map((k) => base + k)),
    fc.array(timeMs, { minLength: count, maxLength: count }),
  );
}

function refs(count: number): fc.Arbitrary<number[]> {
  return fc.tuple(fc.nat(100_000), steps).map(([first, pattern]) => {
    let ref = first;
    return Array.from({ length: count }, (_, i) => {
      ref += pattern[i % pattern.length];
      return ref;
    });
  });
}

const points = values.chain((list) =>
  fc.tuple(refs(list.length), times(list.length)).map(([refList, timeList]) => {
    const columns = new PointColumns();
    for (let i = 0; i < list.length; i++) columns.push(refList[i], timeList[i], list[i]);
    return columns;
  }),
);

const sketches = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 5 }).chain((payloads) =>
  fc.tuple(refs(payloads.length), times(payloads.length)).map(([refList, timeList]) => {
    const columns = new SketchColumns();
    payloads.forEach((payload, i) => {
      columns.push(refList[i], timeList[i], payload);
    });
    return columns;
  }),
);

const shares = fc.record({ points, sketches });

function encoded(points: PointColumns, sketches?: SketchColumns): Uint8Array {
  const out = new ByteWriter();
  encodeShare(points, sketches, out);
  return out.take();
}

/** Decodes behind existing points, and returns only the new ones, as plain arrays. */
function decoded(bytes: Uint8Array, before = 3) {
  const points = new PointColumns(1);
  for (let i = 0; i < before; i++) points.push(i, i, i);
  const sketches = new SketchColumns(1);
  const count = decodeShare(bytes, points, sketches);
  expect(count).toBe(points.length - before + sketches.length);
  return {
    refs: [...points.refs.slice(before, points.length)],
    timesMs: [...points.timesMs.slice(before, points.length)],
    values: bitsOf(points.values.slice(before, points.length)),
    sketchRefs: [...sketches.refs.slice(0, sketches.length)],
    sketchTimesMs: [...sketches.timesMs.slice(0, sketches.length)],
    payloads: sketches.payloads.map(toHex),
  };
}

function plain(points: PointColumns, sketches: SketchColumns) {
  return {
    refs: [...points.refs.slice(0, points.length)],
    timesMs: [...points.timesMs.slice(0, points.length)],
    values: bitsOf(points.values.slice(0, points.length)),
    sketchRefs: [...sketches.refs.slice(0, sketches.length)],
    sketchTimesMs: [...sketches.timesMs.slice(0, sketches.length)],
    payloads: sketches.payloads.map(toHex),
  };
}

describe('a share', () => {
  test('is decoded bit by bit, and encoding and inspecting it give its true summary', () => {
    fc.assert(
      fc.property(shares, ({ points, sketches }) => {
        const out = new ByteWriter();
        const summary = encodeShare(points, sketches, out);
        const bytes = out.take();
        expect(decoded(bytes)).toEqual(plain(points, sketches));
        expect(inspectShare(bytes)).toEqual(summary);
        const times = [...points.timesMs.slice(0, points.length), ...sketches.timesMs.slice(0, sketches.length)];
        const refs = [...points.refs.slice(0, points.length), ...sketches.refs.slice(0, sketches.length)];
        expect(summary).toEqual({
          points: points.length,
          sketches: sketches.length,
          minTimeMs: Math.min(...times),
          maxTimeMs: Math.max(...times),
          maxRef: Math.max(-1, ...refs),
          mayBeNonFinite: !points.values.slice(0, points.length).every(Number.isFinite),
        });
      }),
      { numRuns: 500 },
    );
  });

  test('keeps every float64, also at the ends of a mini-block', () => {
    for (const length of [1, 2, 127, 128, 129, 192, 193, 320, 321]) {
      for (let turn = 0; turn < adversarialValues.length; turn++) {
        const points = new PointColumns();
        points.reserve(length);
        points.length = length;
        for (let i = 0; i < length; i++) {
          points.refs[i] = 4_294_967_295;
          points.values[i] =
            i % 7 === 0 ? adversarialValues[(turn + i) % adversarialValues.length] : adversarialValues[turn];
        }
        expect(decoded(encoded(points)).values).toEqual(bitsOf(points.values.slice(0, length)));
      }
    }
  });

  test('a share of one or two points has few bytes', () => {
    const points = new PointColumns();
    points.push(17, 1_700_000_000_000, 3);
    expect(encoded(points).length).toBeLessThanOrEqual(17);
    points.push(18, 1_700_000_000_000, 4);
    expect(encoded(points).length).toBeLessThanOrEqual(18);
  });

  test('fails an assertion for refs out of order and times that are not integers', () => {
    for (const [ref, timeMs] of [
      [4, 0],
      [5, 0.5],
      [5, Number.NaN],
      [5, 2 ** 51],
    ]) {
      const points = new PointColumns();
      points.push(5, 0, 0);
      points.push(ref, timeMs, 0);
      expect(() => encoded(points)).toThrow(AssertionError);
    }
  });
});

describe('hostile bytes', () => {
  function check(bytes: Uint8Array): void {
    let summary: ReturnType<typeof inspectShare> | undefined;
    try {
      summary = inspectShare(bytes);
    } catch (error) {
      if (!isTidemarkError(error, 'data_loss')) throw error;
    }
    const points = new PointColumns(1);
    const sketches = new SketchColumns(1);
    if (summary === undefined) {
      try {
        decodeShare(bytes, points, sketches);
      } catch (error) {
        if (!isTidemarkError(error, 'data_loss')) throw error;
        expect(points.length + sketches.length).toBe(0);
        return;
      }
      // Only the inspection checks the limit on a sketch's bytes.
      expect(sketches.length).toBeGreaterThan(0);
      return;
    }
    expect(decodeShare(bytes, points, sketches)).toBe(summary.points + summary.sketches);
    let maxRef = -1;
    let minTimeMs = Number.POSITIVE_INFINITY;
    let maxTimeMs = Number.NEGATIVE_INFINITY;
    let nonFinite = false;
    for (const columns of [points, sketches]) {
      for (let i = 0; i < columns.length; i++) {
        maxRef = Math.max(maxRef, columns.refs[i]);
        minTimeMs = Math.min(minTimeMs, columns.timesMs[i]);
        maxTimeMs = Math.max(maxTimeMs, columns.timesMs[i]);
      }
    }
    for (let i = 0; i < points.length; i++) nonFinite ||= !Number.isFinite(points.values[i]);
    expect([summary.maxRef, summary.minTimeMs, summary.maxTimeMs]).toEqual([maxRef, minTimeMs, maxTimeMs]);
    if (nonFinite) expect(summary.mayBeNonFinite).toBe(true);
  }

  test('damaged bytes of valid shares give data_loss, or decode as the inspection says', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(shares, changes, fc.nat(), fc.boolean(), ({ points, sketches }, edits, cut, shorten) => {
        const bytes = encoded(points, sketches);
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
        check(shorten ? bytes.subarray(0, cut % bytes.length) : bytes);
      }),
      { numRuns: 2000 },
    );
  });

  test('any bytes give data_loss, or decode as the inspection says', () => {
    const small = fc.oneof(fc.nat(9), fc.nat(255));
    fc.assert(
      fc.property(fc.array(small, { maxLength: 60 }), (tail) => check(Uint8Array.from([1, ...tail]))),
      { numRuns: 3000 },
    );
  });

  test('a few bytes cannot request more points than the limit', () => {
    const out = new ByteWriter();
    out.u8(1);
    out.varint(2 ** 40);
    expect(() => decodeShare(out.view(), new PointColumns(), new SketchColumns())).toThrow(/points in a share \(limit/);
    const points = new PointColumns();
    for (let i = 0; i < 100; i++) points.push(i, 0, 0);
    expect(() => inspectShare(encoded(points), { points: 99, sketches: 0, sketchBytes: 0 })).toThrow(
      '100 points in a share (limit: 99)',
    );
  });
});

describe('the golden share of version 1', () => {
  const points = new PointColumns();
  [3, 4, 5, 9, 9].forEach((ref, i) => {
    points.push(ref, 1_700_000_000_000 + (i === 4 ? 10_000 : 0), [0.1, 0.25, 3, -7.5, Number.POSITIVE_INFINITY][i]);
  });
  const sketches = new SketchColumns();
  sketches.push(12, 1_700_000_000_000, Uint8Array.of(1, 2, 3));
  const golden =
    '01050101000306886c0180a0abfef9620081904e0010041f01200099b3e6fd03cdcccc4c00000000000000000000000000000000000000006766160067664e006766648067663640000c010080a0abfef96203010203';

  test('is the result of encoding, and decodes to its points', () => {
    expect(toHex(encoded(points, sketches))).toBe(golden);
    expect(decoded(fromHex(golden))).toEqual(plain(points, sketches));
  });
});
