import { describe, expect, test } from '@jest/globals';
import { hash128, SERIES_CLASS } from '@tidemark/model';
import { Page } from '@tidemark/page';
import { SeriesIndex } from '@tidemark/point-log';
import fc from 'fast-check';
import { PageCodec } from '../pages/page-codec.ts';
import { SeriesPoints } from '../series/series-columns.ts';
import { PointHash } from './point-hash.ts';

const codec = new PageCodec();
const id = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');

function hashOf(pairs: readonly (readonly [timeMs: number, value: number])[], runs = [pairs.length]): string {
  const hash = new PointHash(codec);
  let at = 0;
  for (const length of [...runs, pairs.length]) {
    const points = new SeriesPoints();
    for (const [timeMs, value] of pairs.slice(at, at + length)) points.push(timeMs, value);
    at += length;
    hash.addPoints(id, points);
  }
  return hash.hex;
}

const bits = (value: number) => new BigUint64Array(Float64Array.of(Number.isNaN(value) ? Number.NaN : value).buffer)[0];
const u64 = (value: bigint) => BigInt.asUintN(64, value);
/** The three factors of each lane. */
const LANES = [
  [0x9e3779b97f4a7c15n, 0xff51afd7ed558ccdn, 0xc4ceb9fe1a85ec53n],
  [0xd6e8feb86659fd93n, 0xc4ceb9fe1a85ec53n, 0xff51afd7ed558ccdn],
];

/** The sum of the hashes of all points, computed plainly. */
function plainHashOf(pairs: readonly (readonly [timeMs: number, value: number])[]): string {
  const sums = LANES.map(([first, second, third], lane) => {
    const seed = id.readBigUInt64LE(8 * lane);
    return pairs.reduce((sum, [timeMs, value]) => {
      let hash = u64((seed ^ bits(timeMs)) * first);
      hash = u64((hash ^ (hash >> 32n) ^ bits(value)) * second);
      hash = u64((hash ^ (hash >> 29n)) * third);
      return u64(sum + (hash ^ (hash >> 32n)));
    }, 0n);
  });
  const words = new Uint32Array(BigUint64Array.from(sums).buffer);
  return [...words].map((word) => word.toString(16).padStart(8, '0')).join('');
}

const point = fc.tuple(
  fc.integer({ min: -1e12, max: 1e13 }),
  fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, 0, Number.NaN)),
);

describe('the hash of points', () => {
  test('is the sum of a hash of each, in any order and any parts', () => {
    fc.assert(
      fc.property(fc.array(point, { maxLength: 60 }), fc.array(fc.nat(20), { maxLength: 5 }), (pairs, runs) => {
        const expected = plainHashOf(pairs);
        expect(hashOf(pairs)).toBe(expected);
        expect(hashOf([...pairs].reverse(), runs)).toBe(expected);
      }),
    );
  });

  test('covers each of more points than one call takes', () => {
    const pairs = Array.from({ length: 9000 }, (_, i): [number, number] => [i * 10_000, i / 7]);
    expect(hashOf(pairs)).toBe(plainHashOf(pairs));
    expect(hashOf(pairs.slice(1))).not.toBe(plainHashOf(pairs));
  });

  test('knows one NaN, and distinguishes -0 from 0', () => {
    const other = new Float64Array(new BigUint64Array([0xfff8_0000_0000_0001n]).buffer)[0];
    expect(hashOf([[1, other]])).toBe(hashOf([[1, Number.NaN]]));
    expect(hashOf([[1, -0]])).not.toBe(hashOf([[1, 0]]));
  });

  test('is the same straight from a page, which leaves slots of sketches and of equal times to others', () => {
    const column = fc.tuple(
      fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 80 }),
      fc.array(fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, Number.NaN)), { minLength: 80, maxLength: 80 }),
      fc.constantFrom('values', 'sketches'),
    );
    fc.assert(
      fc.property(fc.array(column, { minLength: 1, maxLength: 20 }), fc.nat(20), (columns, leftOut) => {
        const { writer } = codec;
        const table = new SeriesIndex();
        const expected = new PointHash(codec);
        const others: number[] = [];
        columns.forEach(([steps, values, kind], series) => {
          const id = hash128(Buffer.from(`series ${series}`));
          table.add(id, id, SERIES_CLASS.reading);
          const timesMs = Float64Array.from(steps.sort((a, b) => a - b));
          const timeClass = writer.times.add(timesMs, 0, timesMs.length);
          const payloads = steps.map((step) => Uint8Array.of(step));
          if (kind === 'sketches') writer.addSketches(series, timeClass, payloads);
          else writer.addValues(series, timeClass, Float64Array.from(values), 0, steps.length);
          if (series === leftOut) return;
          if (kind === 'sketches' || new Set(steps).size < steps.length) {
            others.push(series);
            return;
          }
          const points = new SeriesPoints();
          steps.forEach((timeMs, i) => {
            points.push(timeMs, values[i]);
          });
          expected.addPoints(id, points);
        });
        const page = new Page(writer.finish({ mapEpoch: 1, fromOffset: 0, toOffset: 1 }));
        const found = new PointHash(codec);
        expect(found.addPage(page, table, new Set([leftOut]))).toEqual(others);
        expect(found.hex).toBe(expected.hex);
      }),
    );
  });
});
