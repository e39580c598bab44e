import { expect, test } from '@jest/globals';
import { SeededRandom } from './seeded-random.ts';

test('xoshiro128** gives the reference sequence', () => {
  const random = SeededRandom.ofState([1, 2, 3, 4]);
  expect([random.nextUint32(), random.nextUint32(), random.nextUint32(), random.nextUint32()]).toEqual([
    11_520, 0, 5_927_040, 70_819_200,
  ]);
});

test('a fork depends on seed and name, not on earlier draws', () => {
  const drawn = new SeededRandom(7);
  drawn.bytes(100);
  expect(drawn.fork('disk').bytes(16)).toEqual(new SeededRandom(7).fork('disk').bytes(16));
  const streams = [drawn.fork('a'), drawn.fork('b'), new SeededRandom(8).fork('a'), new SeededRandom('7/a/b')];
  expect(new Set(streams.map((stream) => stream.bytes(8).join())).size).toBe(4);
});

test('next is uniform in [0, 1) over neighbouring seeds', () => {
  let sum = 0;
  let inside = 0;
  for (let seed = 0; seed < 20_000; seed++) {
    const value = new SeededRandom(seed).next();
    if (value >= 0 && value < 1) inside++;
    sum += value;
  }
  expect(inside).toBe(20_000);
  expect(Math.abs(sum / 20_000 - 0.5)).toBeLessThan(0.01);
});
