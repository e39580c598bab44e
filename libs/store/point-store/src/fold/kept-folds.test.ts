import { expect, test } from '@jest/globals';
import { NOTHING_STATED } from '@tidemark/model';
import { Timeline } from '../read/timeline.ts';
import { type Candidate, KEPT_BYTES, KeptFolds } from './kept-folds.ts';
import type { SharedTimes } from './shared-fold.ts';

const STEPS = 8000;
/** Of the columns of a program of that many steps. */
const PROGRAM_BYTES = (8 + 8 + 1) * STEPS;

function timesOfManySteps(): SharedTimes {
  const program = {
    ...{ records: new Uint8Array(0), durationsMs: new Float64Array(0), counts: undefined, first: 0, end: STEPS },
    weights: new Float64Array(STEPS),
    lastTimesMs: new Float64Array(STEPS),
    present: new Uint8Array(STEPS),
  };
  return { length: 1, from: 0, program, lacksOlder: false, lacksNewer: false, newest: undefined };
}

function timelineOf(number: number): Timeline {
  return new Timeline(number, [], { fromMs: 0, toMs: 1, context: 0, neededSinceMs: 0 });
}

test('what is kept for series with the same statement and times of their own is bounded by its bytes', () => {
  const kept = new KeptFolds();
  const keys = Array.from({ length: 600 }, (_, i) => `times ${i}`);
  for (const key of keys) kept.addTimes(NOTHING_STATED, key, timesOfManySteps());
  const found = keys.filter((key) => kept.timesOf(NOTHING_STATED, key) !== undefined);
  expect(found.at(-1)).toBe(keys.at(-1));
  expect(found.length * PROGRAM_BYTES).toBeLessThanOrEqual(KEPT_BYTES);
});

test('programs that only candidates have are counted, too', () => {
  const kept = new KeptFolds();
  const made = new Map<Timeline, Candidate>();
  for (let number = 0; number < 600; number++) {
    const timeline = timelineOf(number);
    const candidate = kept.candidateOf(timeline, 0, []);
    made.set(timeline, candidate);
    const times = timesOfManySteps();
    kept.addTimes(NOTHING_STATED, undefined, times);
    candidate.shared = { ...times, parts: [], heads: [] };
  }
  const found = [...made].filter(([timeline, candidate]) => kept.candidateOf(timeline, 0, []) === candidate);
  expect(found.length).toBeGreaterThan(0);
  expect(found.length * PROGRAM_BYTES).toBeLessThanOrEqual(KEPT_BYTES);
});

test('all of a query with few times is kept, also that a time has no program', () => {
  const kept = new KeptFolds();
  const timelines = Array.from({ length: 100 }, (_, number) => timelineOf(number));
  const candidates = timelines.map((timeline) => kept.candidateOf(timeline, 0, []));
  for (const [i] of timelines.entries())
    kept.addTimes(NOTHING_STATED, `times ${i}`, i % 2 === 0 ? undefined : timesOfManySteps());
  expect(timelines.map((timeline) => kept.candidateOf(timeline, 0, []))).toEqual(candidates);
  for (const [i] of timelines.entries()) {
    expect(kept.timesOf(NOTHING_STATED, `times ${i}`)?.times === undefined).toBe(i % 2 === 0);
  }
  expect(kept.timesOf(NOTHING_STATED, 'times 100')).toBeUndefined();
});
