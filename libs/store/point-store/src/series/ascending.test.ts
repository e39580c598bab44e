import { expect, test } from '@jest/globals';
import { finishAtOnce } from '@tidemark/ports';
import { ascending, orderOf } from './ascending.ts';

test.each([0, 1, 8191, 8192, 8193, 16_384, 50_000])('%i numbers ascend', (count) => {
  const numbers = Array.from({ length: count }, (_, i) => (i * 2_654_435_761) % 4093);
  expect([...finishAtOnce(ascending(numbers))]).toEqual(numbers.toSorted((a, b) => a - b));
});

test('many numbers are many pieces', () => {
  let pieces = 0;
  const work = ascending(new Uint32Array(1_000_000));
  for (let step = work.next(); step.done !== true; step = work.next()) {
    expect(step.value).toBeLessThanOrEqual(4096);
    pieces++;
  }
  expect(pieces).toBeGreaterThan(500);
});

test.each([0, 1, 8192, 8193, 50_000])('%i indices are in the order of their keys, equal ones ascending', (count) => {
  const keys = Float64Array.from({ length: count + 3 }, (_, i) => (i * 2_654_435_761) % 997);
  const indices = Array.from({ length: count }, (_, i) => i + 3);
  expect([...finishAtOnce(orderOf(keys, 3, count + 3))]).toEqual(
    indices.toSorted((a, b) => keys[a] - keys[b] || a - b),
  );
});
