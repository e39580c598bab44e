import { expect, test } from '@jest/globals';
import { DAY_MS } from '@tidemark/model';
import { MemoryKeyValue } from '@tidemark/simulation';
import { type CommittedDays, closableDay, DayMarks, daysOfBucket } from './day-marks.ts';

const NOTHING: CommittedDays = {
  ...{ written: new Set(), existing: [], closable: undefined, offset: 0, firstKept: Number.NEGATIVE_INFINITY },
};

/** Commits one after the other, each over what the database has of those before. */
async function commits(...all: Partial<CommittedDays>[]) {
  const keyValue = new MemoryKeyValue();
  let marks = new DayMarks();
  for (const one of all) {
    const { marks: next, writes } = marks.after({ ...NOTHING, ...one });
    await keyValue.write([...writes]);
    marks = await DayMarks.load(keyValue);
    expect(marks.list).toEqual(next.list);
  }
  return marks.list;
}

test('a day closes once, and what comes later is of the next generation with the next day', async () => {
  const existing = [10, 11, 12];
  const closed = await commits({ existing, closable: 10, offset: 100 });
  expect(closed).toEqual([{ day: 10, cuts: [100], isDirty: false }]);
  const late = { written: new Set([10, 12]), existing, closable: 10, offset: 150 };
  const first = { existing, closable: 10, offset: 100 };
  expect(await commits(first, late)).toEqual([{ ...closed[0], isDirty: true }]);
  expect(await commits(first, late, { existing, closable: 11, offset: 200 })).toEqual([
    { day: 10, cuts: [100, 200], isDirty: false },
    { day: 11, cuts: [200], isDirty: false },
  ]);
});

test('a first start closes the days before that have points, and days without any have no mark', async () => {
  const marks = await commits({ existing: [3, 8], closable: 9, offset: 40 });
  expect(marks.map(({ day }) => day)).toEqual([3, 8]);
});

test('after a clock that was ahead, days close again with what came since, and none twice', async () => {
  const existing = [10, 11];
  const marks = await commits(
    { existing, closable: 300, offset: 100 },
    { written: new Set([11]), existing, closable: 9, offset: 150 },
    { existing, closable: 10, offset: 200 },
    { existing, closable: 11, offset: 250 },
  );
  expect(marks).toEqual([
    { day: 10, cuts: [100], isDirty: false },
    { day: 11, cuts: [100, 250], isDirty: false },
  ]);
});

test('the mark of a day goes when its points have expired', async () => {
  const existing = [10, 11];
  const marks = await commits(
    { existing, closable: 11, offset: 100 },
    { written: new Set([10]), existing: [11], closable: 12, offset: 200, firstKept: 11 },
  );
  expect(marks.map(({ day }) => day)).toEqual([11]);
});

test('a day closes a day after its end, at a step of commits, and a bucket may be of two days', () => {
  const endMs = 11 * DAY_MS;
  expect(closableDay(endMs + DAY_MS - 1, 600_000)).toBe(9);
  expect(closableDay(endMs + DAY_MS, 600_000)).toBe(10);
  expect(closableDay(Number.NEGATIVE_INFINITY, 600_000)).toBeUndefined();
  // A step that does not divide the day: at the first cut behind.
  expect([closableDay(endMs + DAY_MS, 7_000_000), closableDay(endMs + DAY_MS + 7_000_000, 7_000_000)]).toEqual([9, 10]);
  expect([...daysOfBucket(-1, DAY_MS)]).toEqual([-1]);
  expect([...daysOfBucket(1, 0.75 * DAY_MS)]).toEqual([0, 1]);
});
