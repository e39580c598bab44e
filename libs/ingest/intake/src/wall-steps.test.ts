import { expect, test } from '@jest/globals';
import { ManualClock } from '@tidemark/simulation';
import { WallSteps } from './wall-steps.ts';

const HOUR_MS = 3_600_000;

test.each([HOUR_MS, -HOUR_MS])(
  'a step of the wall clock by %i ms is a problem until an append that was sent later',
  (byMs) => {
    const clock = new ManualClock(1_000_000);
    const session = new ManualClock(1_000_000);
    const steps = new WallSteps(clock, { nowMs: () => session.nowMs });
    expect(steps.problem).toBeUndefined();
    clock.advance(byMs + 10);
    session.advance(10);
    expect(steps.problem).toMatch(`was set by ${byMs} ms`);
    steps.confirmed(session.nowMs - 1);
    expect(steps.problem).toMatch(`was set by ${byMs} ms`);
    steps.confirmed(session.nowMs);
    expect(steps.problem).toBeUndefined();
    // It is set right again.
    clock.advance(-byMs);
    expect(steps.problem).toMatch(`was set by ${-byMs} ms`);
  },
);

test('a clock that is corrected slowly, while appends show that the session is right, makes no step', () => {
  const clock = new ManualClock(0);
  const session = new ManualClock(0);
  const steps = new WallSteps(clock, { nowMs: () => session.nowMs });
  for (let i = 0; i < 100; i++) {
    clock.advance(1050);
    session.advance(1000);
    expect(steps.problem).toBeUndefined();
    steps.confirmed(session.nowMs);
  }
});

test('a second step before the append needs a later append, and one back to where it was needs none', () => {
  const clock = new ManualClock(0);
  const session = new ManualClock(0);
  const steps = new WallSteps(clock, { nowMs: () => session.nowMs });
  clock.advance(HOUR_MS);
  expect(steps.problem).toBeDefined();
  session.advance(500);
  clock.advance(HOUR_MS);
  steps.confirmed(100);
  expect(steps.problem).toBeDefined();
  clock.advance(-2 * HOUR_MS);
  expect(steps.problem).toBeUndefined();
});
