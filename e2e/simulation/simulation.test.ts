import { expect, test } from '@jest/globals';
import { runSeed } from './run-seed.ts';
import { HONEST } from './wiring.ts';

/** A seed is replayed with `npm run simulate -- --seed N --trace`. */
const SEEDS = [1, 2, 3];
/** Shorter runs than those of `npm run simulate`. */
const SHORT = { chaosMs: 15_000 };

test.each(SEEDS)('seed %i keeps every promise', async (seed) => {
  const { violations, checked } = await runSeed(seed, HONEST, SHORT);
  expect(violations).toEqual([]);
  for (const name of ['points acknowledged', 'values read back', 'complete steps', 'replayed prefixes']) {
    expect(checked[name]).toBeGreaterThan(30);
  }
});

test('equal seeds give equal runs', async () => {
  const [first, second] = [await runSeed(4, HONEST, SHORT), await runSeed(4, HONEST, SHORT)];
  expect(first.trace.length).toBeGreaterThan(300);
  expect(second).toEqual(first);
});
