import { expect, test } from '@jest/globals';
import { ManualClock } from './manual-clock.ts';

test('both clocks show the time that was set, and timers fire when it is advanced past them', () => {
  const clock = new ManualClock(1_000);
  const fired: string[] = [];
  const set = (name: string, delayMs: number) =>
    clock.setTimer(delayMs, () => void fired.push(`${name} ${clock.nowMs}`));
  set('late', 100);
  set('early', 50);
  const cancelled = set('cancelled', 10);
  cancelled.cancel();
  expect([clock.wallMs(), clock.monotonicMs()]).toEqual([1_000, 1_000]);
  clock.advance(49);
  expect(fired).toEqual([]);
  clock.advance(1);
  expect(fired).toEqual(['early 1050']);
  clock.advanceTo(2_000);
  expect(fired).toEqual(['early 1050', 'late 2000']);
  clock.advance(1_000);
  expect(fired.length).toBe(2);
});

test('a timer set by a fired one waits for the next advance, and a timer cancelled by it does not fire', () => {
  const clock = new ManualClock();
  const fired: string[] = [];
  clock.setTimer(10, () => {
    fired.push('first');
    second.cancel();
    clock.setTimer(0, () => fired.push('third'));
  });
  const second = clock.setTimer(10, () => fired.push('second'));
  clock.advance(10);
  expect(fired).toEqual(['first']);
  clock.advance(0);
  expect(fired).toEqual(['first', 'third']);
});
