import { expect, test } from '@jest/globals';
import { runSeed } from '../simulation/run-seed.ts';
import { SABOTAGES } from './sabotages.ts';

// Two of those that `npm run sabotage` goes through, with seeds that are known to catch them.
test.each([
  ['split-share', 1],
  ['tags-after-points', 1],
])('%s is caught by seed %i', async (name, seed) => {
  const sabotage = SABOTAGES.find((one) => one.name === name);
  const { violations } = await runSeed(seed, sabotage?.wiring(), { chaosMs: 20_000 });
  const checks = violations.map(({ check }) => check);
  expect(checks.some((check) => sabotage?.caughtBy.includes(check))).toBe(true);
});
