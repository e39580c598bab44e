import { expect, test } from '@jest/globals';
import { SeriesActivity } from './series-activity.ts';

test('what is deleted or gets pages later changes nothing for a query that has begun', () => {
  const activity = new SeriesActivity();
  for (const bucket of [1, 2, 4]) activity.add(bucket, Uint32Array.of(7));
  activity.saved();
  const { now } = activity;
  activity.drop(1);
  activity.drop(4);
  for (const bucket of [0, 2, 5]) activity.add(bucket, Uint32Array.of(8));
  // Of a commit that is not stored yet.
  expect([0, 2, 5].map((bucket) => activity.of(bucket)?.has(8))).toEqual([undefined, false, undefined]);
  expect([activity.now.hasBefore(3, 8), activity.now.hasAfter(3, 8)]).toEqual([false, false]);
  activity.saved();
  expect([now.hasBefore(2, 7), now.hasAfter(2, 7)]).toEqual([true, true]);
  expect([now.hasBefore(3, 8), now.hasAfter(2, 8)]).toEqual([false, false]);
  expect([now.before(2), now.after(2)].map((found) => found.map((one) => [...one.toArray()]))).toEqual([[[7]], [[7]]]);
  const { now: later } = activity;
  expect([later.hasBefore(2, 7), later.hasAfter(2, 7)]).toEqual([false, false]);
  expect([later.hasBefore(2, 8), later.hasBefore(3, 8), later.hasAfter(2, 8)]).toEqual([true, true, true]);
});
