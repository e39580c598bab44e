import { expect, test } from '@jest/globals';
import { ServerClock } from './server-clock.ts';

test('the clock follows the server when they differ by more than the round trip', () => {
  let ownMs = 100_000;
  const clock = new ServerClock(() => ownMs);
  const askedMs = ownMs;
  ownMs += 40;
  clock.observe(130_020, askedMs);
  expect(clock.nowMs()).toBe(130_040);
  clock.observe(130_090, ownMs);
  expect(clock.nowMs()).toBe(130_040);
  clock.observe(0, ownMs);
  expect(clock.nowMs()).toBe(130_040);
});
