import { describe, expect, test } from '@jest/globals';
import { ByteWriter, crc32c, fromHex, toHex } from '@tidemark/bytes';
import { AssertionError, isTidemarkError } from '@tidemark/ports';
import fc from 'fast-check';
import {
  ChunkPoints,
  ChunkSketches,
  chunkSummary,
  decodeChunk,
  decodeSketchChunk,
  encodeChunk,
  encodeSketchChunk,
} from './index.ts';

const NOON_MS = 1_700_000_000_000;

const decimal = fc.tuple(fc.integer({ min: -10_000, max: 10_000 }), fc.nat(3)).map(([n, e]) => n / 10 ** e);
const anyValue = fc.oneof(
  { weight: 30, arbitrary: decimal },
  { weight: 1, arbitrary: fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, Number.MIN_VALUE, 2 ** 53, 1 / 3) },
);
const values = fc.oneof(
  fc.array(decimal, { minLength: 1, maxLength: 400 }),
  fc.array(anyValue, { minLength: 1, maxLength: 400 }),
  fc.array(fc.double(), { minLength: 1, maxLength: 200 }),
  fc.array(fc.nat(9), { minLength: 1, maxLength: 400 }).map((steps) => {
    let sum = 1_000_000;
    return steps.map((step) => (sum += step));
  }),
);
/** Steps between times: regular, with gaps, jittered, or huge. */
const steps = fc.oneof(
  fc.constant([10_000]),
  fc.array(fc.constantFrom(10_000, 10_000, 20_000), { minLength: 1, maxLength: 50 }),
  fc.array(fc.nat(20_000), { minLength: 1, maxLength: 50 }),
  fc.array(fc.constantFrom(0, 1, 2 ** 40), { minLength: 1, maxLength: 5 }),
);

function chunkPoints(list: readonly number[], pattern: readonly number[]): ChunkPoints {
  const points = new ChunkPoints(1);
  let timeMs = NOON_MS;
  list.forEach((value, i) => {
    points.push(timeMs, value);
    timeMs += pattern[i % pattern.length];
  });
  return points;
}

const chunks = fc.tuple(values, steps).map(([list, pattern]) => chunkPoints(list, pattern));

function encoded(points: ChunkPoints): Uint8Array {
  const out = new ByteWriter(1);
  out.u8(99);
  encodeChunk(points.timesMs, points.values, 0, points.length, out);
  return out.take().subarray(1);
}

function plain(points: ChunkPoints, from = 0) {
  return {
    timesMs: [...points.timesMs.slice(from, points.length)],
    values: toHex(new Uint8Array(points.values.slice(from, points.length).buffer)),
  };
}

/** Sets the right checksum at the end, so that the bytes before it are decoded. */
function resealed(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - 4;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(end, crc32c(bytes.subarray(0, end)), true);
  return bytes;
}

describe('a chunk', () => {
  test('is decoded bit by bit behind the points that were there, and its header is right', () => {
    fc.assert(
      fc.property(chunks, (points) => {
        const bytes = encoded(points);
        const back = new ChunkPoints(1);
        back.push(1, 2);
        expect(decodeChunk(bytes, back)).toBe(points.length);
        expect(plain(back, 1)).toEqual(plain(points));
        expect(chunkSummary(bytes)).toEqual({
          sketches: false,
          count: points.length,
          minTimeMs: points.timesMs[0],
          maxTimeMs: points.timesMs[points.length - 1],
        });
      }),
      { numRuns: 300 },
    );
  });

  test('a chunk of a part of the arrays has that part', () => {
    const points = chunkPoints([1, 2.5, 3, 4.25, 5], [7]);
    const out = new ByteWriter();
    encodeChunk(points.timesMs, points.values, 1, 4, out);
    const back = new ChunkPoints();
    decodeChunk(out.view(), back);
    expect([...back.values.slice(0, 3)]).toEqual([2.5, 3, 4.25]);
    expect(back.timesMs[0]).toBe(NOON_MS + 7);
  });

  test('spends no bytes on regular times, and few on a constant', () => {
    expect(encoded(chunkPoints(new Array(180).fill(42), [10_000])).length).toBeLessThanOrEqual(20);
  });

  test('spends one bit per time on gaps of whole steps', () => {
    const pattern = [...new Array(60).fill(10_000), 30_000];
    expect(encoded(chunkPoints(new Array(122).fill(42), pattern)).length).toBeLessThanOrEqual(50);
  });

  test('fails an assertion for times that descend or are not integers', () => {
    for (const timesMs of [[5, 4], [0.5, 1.5], [0, 0.5, 1], [0, Number.NaN], [0, 2 ** 51], []]) {
      const times = Float64Array.from(timesMs);
      expect(() => encodeChunk(times, times, 0, times.length, new ByteWriter())).toThrow(AssertionError);
    }
  });
});

describe('a chunk of sketches', () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 30 }), { minLength: 1, maxLength: 200 });

  test('decodes to the same sketches', () => {
    fc.assert(
      fc.property(payloads, steps, (list, pattern) => {
        const { timesMs } = chunkPoints(
          list.map(() => 0),
          pattern,
        );
        const out = new ByteWriter();
        encodeSketchChunk(timesMs, list, 0, list.length, out);
        const back = new ChunkSketches(1);
        back.push(1, new Uint8Array(2));
        expect(decodeSketchChunk(out.view(), back)).toBe(list.length);
        expect(back.payloads.slice(1).map(toHex)).toEqual(list.map(toHex));
        expect([...back.timesMs.slice(1, back.length)]).toEqual([...timesMs.slice(0, list.length)]);
        expect(chunkSummary(out.view())).toMatchObject({ sketches: true, count: list.length });
        expect(() => decodeChunk(out.view(), new ChunkPoints())).toThrow('sketches, not values');
      }),
    );
  });
});

describe('hostile bytes', () => {
  function check(bytes: Uint8Array): void {
    const points = new ChunkPoints();
    const sketches = new ChunkSketches();
    for (const attempt of [
      () => chunkSummary(bytes),
      () => {
        const count = decodeChunk(bytes, points);
        const { minTimeMs, maxTimeMs } = chunkSummary(bytes);
        expect([points.length, points.timesMs[0], points.timesMs[count - 1]]).toEqual([count, minTimeMs, maxTimeMs]);
      },
      () => decodeSketchChunk(bytes, sketches),
    ]) {
      try {
        attempt();
      } catch (error) {
        if (!isTidemarkError(error, 'data_loss')) throw error;
      }
    }
  }

  test('a flipped bit is always detected', () => {
    fc.assert(
      fc.property(chunks, fc.nat(), (points, bit) => {
        const bytes = encoded(points);
        bytes[(bit >> 3) % bytes.length] ^= 1 << (bit & 7);
        expect(() => decodeChunk(bytes, new ChunkPoints())).toThrow('a wrong checksum');
      }),
    );
  });

  test('hostile bytes with a right checksum give data_loss or points', () => {
    const edits = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(chunks, edits, (points, changes) => {
        const bytes = encoded(points);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        check(resealed(bytes));
      }),
      { numRuns: 1500 },
    );
    const first = fc.constantFrom(0x01, 0x11, 0x21, 0x31);
    const byte = fc.oneof(fc.nat(9), fc.nat(255));
    fc.assert(
      fc.property(first, fc.array(byte, { minLength: 4, maxLength: 40 }), (head, tail) =>
        check(resealed(Uint8Array.from([head, ...tail]))),
      ),
      { numRuns: 2000 },
    );
  });
});

describe('golden chunks of version 1', () => {
  const cases: [string, ChunkPoints, string][] = [
    [
      'regular',
      chunkPoints([0.5, 0.75, 1, 100.25, -3], [10_000]),
      '210580a0abfef962904e108919d7040e1e40e80c002324af8a',
    ],
    [
      'irregular',
      chunkPoints([5, 9, Number.NaN], [1000, 3000]),
      '010380a0abfef962a01f0083e8070008010400001e008080d0800400000000008003000040fe03cb987143',
    ],
  ];
  test.each(cases)('%s times', (_, points, golden) => {
    expect(toHex(encoded(points))).toBe(golden);
    const back = new ChunkPoints();
    decodeChunk(fromHex(golden), back);
    expect(plain(back)).toEqual(plain(points));
  });

  test('sketches', () => {
    const golden = '310280a0abfef962e8070200010266d5a010';
    const out = new ByteWriter();
    encodeSketchChunk(Float64Array.of(NOON_MS, NOON_MS + 1000), [Uint8Array.of(1, 2), Uint8Array.of()], 0, 2, out);
    expect(toHex(out.view())).toBe(golden);
    const back = new ChunkSketches();
    decodeSketchChunk(fromHex(golden), back);
    expect(back.payloads.map(toHex)).toEqual(['0102', '']);
  });
});
