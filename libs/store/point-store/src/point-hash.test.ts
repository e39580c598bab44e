import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PageCodec } from './page-codec.ts';
import { PointHash } from './point-hash.ts';
import { SeriesPoints } from './series-columns.ts';

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

/** MurmurHash3 of 32 bits over four words, from a seed. */
function murmur(seed: number, words: Uint32Array): number {
  let hash = seed;
  for (const word of words) {
    let k = Math.imul(word, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    hash ^= k;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The sum of the hashes of all points, computed plainly. */
function plainHashOf(pairs: readonly (readonly [timeMs: number, value: number])[]): string {
  const lanes = [0, 1, 2, 3].map((lane) => {
    let seed = 0x9e3779b9 + lane;
    for (let i = 0; i < 16; i += 4) {
      let k = Math.imul(id.readUInt32LE(i), 0xcc9e2d51);
      k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
      seed ^= k;
      seed = (Math.imul((seed << 13) | (seed >>> 19), 5) + 0xe6546b64) | 0;
    }
    return pairs.reduce((sum, [timeMs, value]) => {
      const words = new Uint32Array(Float64Array.of(timeMs, value).buffer);
      if (Number.isNaN(value)) words.set([0, 0x7ff8_0000], 2);
      return (sum + murmur(seed, words)) >>> 0;
    }, 0);
  });
  return lanes.map((sum) => sum.toString(16).padStart(8, '0')).join('');
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
    const pairs = Array.from({ length: 3000 }, (_, i): [number, number] => [i * 10_000, i / 7]);
    expect(hashOf(pairs)).toBe(plainHashOf(pairs));
    expect(hashOf(pairs.slice(1))).not.toBe(plainHashOf(pairs));
  });

  test('knows one NaN, and distinguishes -0 from 0', () => {
    const other = new Float64Array(new BigUint64Array([0xfff8_0000_0000_0001n]).buffer)[0];
    expect(hashOf([[1, other]])).toBe(hashOf([[1, Number.NaN]]));
    expect(hashOf([[1, -0]])).not.toBe(hashOf([[1, 0]]));
  });
});
