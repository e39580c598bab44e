import { expect, test } from '@jest/globals';
import { KIND } from '@tidemark/model';
import { dropSteps, fromStep, haveSameSteps, secondsOf, startOf } from './frame-steps.ts';
import { asRate, derivative, fill } from './index.ts';
import { frameOf, rowsOf } from './testing/frame-of.ts';
import { done } from './work.ts';

const NONE = Number.NaN;
const CALENDAR = { ...frameOf({ '': [10, 40, 60] }, 30_000), startsMs: [0, 10_000, 30_000, 60_000] };

test('steps of a calendar have lengths of their own, for rates and for fills', () => {
  expect([0, 1, 2].map((i) => secondsOf(CALENDAR, i))).toEqual([10, 20, 30]);
  expect(startOf(CALENDAR, 3)).toBe(60_000);
  expect(rowsOf(derivative(CALENDAR))['']).toEqual([NONE, 3, 1]);
  const counts = { ...CALENDAR, series: CALENDAR.series.map((one) => ({ ...one, kind: KIND.count })) };
  expect(rowsOf(asRate(counts))['']).toEqual([1, 2, 2]);
  const gap = { ...CALENDAR, ...{ series: frameOf({ '': [10, NONE, NONE] }).series } };
  expect(rowsOf(fill(gap, 'last', 10))['']).toEqual([10, 10, NONE]);
});

test('dropping steps moves the start, of a calendar too', () => {
  expect(dropSteps(CALENDAR, 1)).toMatchObject({ fromMs: 10_000, steps: 2, startsMs: [10_000, 30_000, 60_000] });
  expect(dropSteps(frameOf({ '': [1, 2] }), 1)).toMatchObject({ fromMs: 10_000, steps: 1 });
  expect(rowsOf(fromStep(CALENDAR, 1, (frame) => done(frame)))['']).toEqual([NONE, 40, 60]);
});

test('frames have the same steps when each begins at the same time', () => {
  expect(haveSameSteps(CALENDAR, { ...CALENDAR, startsMs: [0, 10_000, 30_001, 60_000] })).toBe(false);
  expect(haveSameSteps(CALENDAR, { ...CALENDAR, startsMs: [...CALENDAR.startsMs] })).toBe(true);
  expect(haveSameSteps(frameOf({ '': [1] }), frameOf({ '': [1] }, 20_000))).toBe(false);
});
