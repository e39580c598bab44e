import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type FoldedSeries, TIME_FOLD, type TimeFold, TimeFolder, type TimeFoldName } from './index.ts';

const NONE = Number.NaN;

function foldOnce(fold: TimeFold, points: readonly (readonly [number, number])[], seed?: number): number[] {
  const folder = new TimeFolder({ fromMs: 1000, stepMs: 10, steps: 3, fold });
  folder.begin();
  if (seed !== undefined) folder.seed(seed);
  for (const [timeMs, value] of points) folder.add(timeMs, value);
  return valuesOf(folder.finish());
}

function valuesOf(series: FoldedSeries): number[] {
  return Array.from(series.values, (value, i) =>
    i >= series.first && i < series.end && series.present[i] === 1 ? value : NONE,
  );
}

describe('TimeFolder', () => {
  // Steps [1000, 1010), [1010, 1020), [1020, 1030); the middle one is empty, the outer points lie outside.
  const points = [
    [999, 100],
    [1000, 4],
    [1005, NONE],
    [1009, 1],
    [1020, 7],
    [1029, 3],
    [1030, 100],
  ] as const;
  test.each<readonly [TimeFoldName, number[]]>([
    ['avg', [2.5, NONE, 5]],
    ['sum', [5, NONE, 10]],
    ['min', [1, NONE, 3]],
    ['max', [4, NONE, 7]],
    ['count', [2, NONE, 2]],
    ['last', [1, NONE, 3]],
    // 4 is the first value known; 1 is after a reset; 7 - 1, then 3 after a reset.
    ['increase', [1, NONE, 9]],
  ])('%s', (name, expected) => {
    expect(foldOnce(TIME_FOLD[name], points)).toEqual(expected);
  });

  test('an increase is counted from the seed, and a lone first value has none', () => {
    expect(foldOnce(TIME_FOLD.increase, [[1015, 10]], 4)).toEqual([NONE, 6, NONE]);
    expect(foldOnce(TIME_FOLD.increase, [[1015, 10]], 40)).toEqual([NONE, 10, NONE]);
    expect(foldOnce(TIME_FOLD.increase, [[1015, 10]])).toEqual([NONE, NONE, NONE]);
    expect(foldOnce(TIME_FOLD.increase, [[1015, 10]], 10)).toEqual([NONE, 0, NONE]);
  });

  test('nothing of one series reaches the next, and runs fold as single points do, however they are cut', () => {
    const runs = fc.array(fc.tuple(fc.integer({ min: -20, max: 120 }), fc.integer({ min: 0, max: 9 })), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.values(TIME_FOLD).filter((fold) => fold !== TIME_FOLD.sketch)),
        runs,
        runs,
        fc.nat(40),
        (fold, dirt, points, cut) => {
          const byTime = (a: readonly number[], b: readonly number[]) => a[0] - b[0];
          const options = { fromMs: 0, stepMs: 10, steps: 10, fold };
          const used = new TimeFolder(options);
          used.begin();
          used.seed(3);
          for (const [timeMs, value] of dirt.sort(byTime)) used.add(timeMs, value);
          used.finish();
          used.begin();
          points.sort(byTime);
          const times = Float64Array.from(points, ([timeMs]) => timeMs);
          const values = Float64Array.from(points, ([, value]) => (value === 9 ? NONE : value));
          const middle = Math.min(cut, points.length);
          used.addRun(times, values, 0, middle);
          used.addRun(times, values, middle, points.length);

          const fresh = new TimeFolder(options);
          fresh.begin();
          for (let i = 0; i < points.length; i++) fresh.add(times[i], values[i]);
          expect(valuesOf(used.finish())).toEqual(valuesOf(fresh.finish()));
        },
      ),
    );
  });
});
