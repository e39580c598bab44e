import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TIME_FOLD, type TimeFold } from './fold.ts';
import { foldPlainly } from './testing/index.ts';
import { CONTEXT_POINTS, TimeFolder, type TimeFolderOptions } from './time-folder.ts';

type Point = readonly [timeMs: number, value: number];

const NONE = Number.NaN;
const SECOND = 1000;

function foldOnce(options: Partial<TimeFolderOptions> & { fold: TimeFold }, points: readonly Point[], statedMs = 0) {
  const folder = new TimeFolder({ fromMs: 0, stepMs: 10 * SECOND, steps: 6, isAmount: false, ...options });
  const stated = statedMs === 0 ? undefined : { sinceMs: [-1e15], intervalsMs: [statedMs] };
  const times = Float64Array.from(points, ([timeMs]) => timeMs);
  const values = Float64Array.from(points, ([, value]) => value);
  const folded = folder.foldPoints(times, values, points.length, stated);
  const isIn = (i: number) => i >= folded.first && i < folded.end && folded.present[i] === 1;
  return Array.from(folded.values, (value, i) => (isIn(i) ? value : NONE));
}

const every = (seconds: number, values: readonly number[], startMs = 0): Point[] =>
  values.map((value, i) => [startMs + i * seconds * SECOND, value]);

describe('readings', () => {
  test('avg weighs each value by how long it holds', () => {
    // 1 for 4 s, then 6 for the rest of the first step and all of the second.
    const points: Point[] = [
      [0, 1],
      [4000, 6],
      [20_000, 3],
    ];
    expect(foldOnce({ fold: TIME_FOLD.avg, steps: 2 }, points, 10_000)).toEqual([4, 6]);
  });

  test.each([
    ['min', [1, 6]],
    ['max', [6, 6]],
    ['last', [6, 6]],
    ['sum', [7, NONE]],
    ['count', [2, NONE]],
  ] as const)('%s', (fold, expected) => {
    const points: Point[] = [
      [0, 1],
      [4000, 6],
      [20_000, 3],
    ];
    expect(foldOnce({ fold: TIME_FOLD[fold], steps: 2 }, points, 10_000)).toEqual(expected);
  });

  test('a value holds at most 2.5 intervals, and a NaN ends it at once', () => {
    expect(foldOnce({ fold: TIME_FOLD.last }, [[0, 5]], 10_000)).toEqual([5, 5, 5, NONE, NONE, NONE]);
    const ended: Point[] = [
      [0, 5],
      [10_000, NONE],
    ];
    expect(foldOnce({ fold: TIME_FOLD.last }, ended, 10_000)).toEqual([5, NONE, NONE, NONE, NONE, NONE]);
  });

  test('what is stated of the metric holds where the series states nothing, before what is inferred', () => {
    const ofMetric = { fold: TIME_FOLD.last, intervalMs: 4000 } as const;
    expect(foldOnce(ofMetric, [[0, 5]])).toEqual([5, NONE, NONE, NONE, NONE, NONE]);
    expect(foldOnce(ofMetric, every(20, [1, 1, 1]))).toEqual([1, NONE, 1, NONE, 1, NONE]);
    expect(foldOnce(ofMetric, [[0, 5]], 10_000)).toEqual([5, 5, 5, NONE, NONE, NONE]);
    const amounts = { fold: TIME_FOLD.sum, isAmount: true, intervalMs: 20_000 } as const;
    expect(foldOnce(amounts, [[0, 40]])).toEqual([20, 20, NONE, NONE, NONE, NONE]);
    // The series states an interval only from 20 s on.
    const folder = new TimeFolder({ ...ofMetric, fromMs: 0, stepMs: 10_000, steps: 6, isAmount: false });
    const stated = { sinceMs: [20_000], intervalsMs: [10_000] };
    folder.foldPoints(Float64Array.of(0, 20_000), Float64Array.of(1, 1), 2, stated);
    expect([0, 1].map((i) => folder.intervalAt(i))).toEqual([4000, 10_000]);
  });

  test('the interval is inferred from the neighbours: one missed report leaves no gap, an outage does', () => {
    const points = [...every(10, [1, 1, 1, 1], -40_000), ...every(20, [2, 2], 0), [60_000, 3] as Point];
    expect(foldOnce({ fold: TIME_FOLD.avg, steps: 6 }, points)).toEqual(
      [2, 2, 2, 2, 2, NONE].map((v, i) => (i === 4 ? 2 : v)),
    );
  });

  test('an average of equal values is that value, and large ones do not overflow', () => {
    expect(foldOnce({ fold: TIME_FOLD.avg, steps: 1 }, every(3, [0.1, 0.1, 0.1, 0.1]))).toEqual([0.1]);
    expect(foldOnce({ fold: TIME_FOLD.avg, steps: 1 }, every(3, [1e308, 1.1e308, 1e308, 1.1e308]))[0]).toBeCloseTo(
      1.04e308,
      -306,
    );
    expect(foldOnce({ fold: TIME_FOLD.sum, steps: 1 }, every(1, [1, 1e100, 1, -1e100]))).toEqual([2]);
    expect(foldOnce({ fold: TIME_FOLD.sum, steps: 1 }, every(1, [1e308, 1e308, -1e308]))).toEqual([1e308]);
  });
});

describe('amounts', () => {
  test('an amount is spread evenly over its interval', () => {
    const points = every(10, [50, 50, 50]);
    const options = { fold: TIME_FOLD.sum, isAmount: true } as const;
    expect(foldOnce({ ...options, stepMs: 5000, steps: 6 }, points, 10_000)).toEqual([25, 25, 25, 25, 25, 25]);
    expect(foldOnce({ ...options, stepMs: 15_000, steps: 2 }, points, 10_000)).toEqual([75, 75]);
    expect(foldOnce({ ...options, stepMs: 30_000, steps: 1 }, points, 10_000)).toEqual([150]);
  });

  test('an inferred interval reaches no further than four points, and no part of the amount is lost', () => {
    const folder = new TimeFolder({ fold: TIME_FOLD.sum, isAmount: true, fromMs: 0, stepMs: 1_000, steps: 20 });
    const timesMs = [-30_000, -20_000, -10_000, 0, 500, 1_000, 1_500, 2_000];
    const amounts = [0, 0, 0, 100, 0, 0, 0, 0];
    const folded = folder.foldPoints(Float64Array.from(timesMs), Float64Array.from(amounts), timesMs.length);
    // 10 each second up to the fourth point, at 2 s, which takes the other 80.
    expect([...folded.values.slice(0, 4)]).toEqual([10, 10, 80, 0]);
  });

  test('without a regular interval an amount belongs to its instant', () => {
    const points: Point[] = [
      [1000, 3],
      [2500, 4],
      [31_000, 5],
    ];
    expect(foldOnce({ fold: TIME_FOLD.sum, isAmount: true }, points)).toEqual([7, NONE, NONE, 5, NONE, NONE]);
  });
});

describe('counters', () => {
  const options = { fold: TIME_FOLD.rate } as const;

  test('a steady counter has its rate in every step, however long the steps and gaps are', () => {
    const points = [...every(15, [0, 150, 300], 0), ...every(15, [3450, 3600], 345_000)] as Point[];
    for (const stepMs of [1000, 5000, 10_000, 15_000, 60_000]) {
      const rates = foldOnce({ ...options, stepMs, steps: Math.ceil(360_000 / stepMs) }, points);
      expect(new Set(rates.map((rate) => Math.round(rate * 1e9) / 1e9))).toEqual(new Set([10]));
    }
  });

  test.each<[string, readonly Point[], number]>([
    ['a restart counts from zero', every(10, [100, 110, 5, 15]), 25],
    ['a dip adds nothing', every(10, [100_000, 100_001, 100_000.9, 100_002]), 2],
    [
      'a second sender that lags adds nothing',
      [...every(5, [5000, 5052]), [15_000, 5150], [15_100, 5149], [30_000, 5300]],
      300,
    ],
    ['a restart by exactly an eighth', every(10, [80, 70, 71]), 71],
  ])('%s', (_name, points, total) => {
    const increases = foldOnce({ fold: TIME_FOLD.increase }, points).filter((value) => !Number.isNaN(value));
    expect(increases.reduce((sum, value) => sum + value, 0)).toBeCloseTo(total, 9);
  });
});

/** Points whose times are apart by `gaps`. */
function pointsOf(gaps: readonly number[], values: readonly number[]): Point[] {
  let timeMs = 0;
  return gaps.map((gap, i) => {
    timeMs += gap;
    return [timeMs, values[i]];
  });
}

/** The index that lies CONTEXT_POINTS points with a value beyond `index`, or the end. */
function contextOf(points: readonly Point[], index: number, direction: 1 | -1): number {
  let found = 0;
  let at = index;
  while (found < CONTEXT_POINTS && at + direction >= 0 && at + direction < points.length) {
    at += direction;
    found++;
  }
  return Math.max(0, at);
}

test('a counter that stands at zero has not restarted, and a negative one adds nothing by restarting', () => {
  const folder = new TimeFolder({ fold: TIME_FOLD.increase, fromMs: 0, stepMs: 10_000, steps: 6, isAmount: false });
  const times = Float64Array.of(0, 10_000, 20_000, 30_000, 40_000);
  folder.foldPoints(times, Float64Array.of(0, 0, 0, 0, 0), 5);
  expect(folder.findings).toEqual({ restarts: 0, dips: 0 });
  const { values } = folder.foldPoints(times, Float64Array.of(-10, -9, -20, -20, -19), 5);
  expect([...values.subarray(0, 4)]).toEqual([1, 0, 0, 1]);
  expect(folder.findings).toEqual({ restarts: 1, dips: 0 });
});

describe('a step is a function of the series alone', () => {
  const folds = fc.constantFrom(
    ...(['avg', 'sum', 'min', 'max', 'count', 'last', 'increase', 'rate'] as const).map((name) => TIME_FOLD[name]),
  );
  const gaps = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constant(100), fc.constant(100), fc.constant(3000)),
    { minLength: 1, maxLength: 60 },
  );
  const value = fc.constantFrom(NONE, 0, 1, 50, 97, 98, 99, 100, 103, 104, 105);

  test('and what a plain model computes from each millisecond', () => {
    const cases = fc.tuple(gaps, fc.array(value, { minLength: 60, maxLength: 60 }), fc.integer({ min: 1, max: 300 }));
    fc.assert(
      fc.property(folds, fc.boolean(), cases, (fold, isAmount, [between, values, stepMs]) => {
        const points = pointsOf(between, values);
        const steps = { fromMs: 0, stepMs, steps: 40 };
        const plain = foldPlainly(
          points.map(([t, v]) => ({ timeMs: t, value: v })),
          steps,
          fold,
          isAmount,
        );
        const folded = foldOnce({ fold, isAmount, ...steps }, points);
        folded.forEach((one, i) => {
          if (Number.isNaN(one)) expect(plain[i]).toBeUndefined();
          else expect(one).toBeCloseTo(plain[i] ?? NONE, 9);
        });
      }),
    );
  });

  test('for any range that is read, as long as the context is there', () => {
    fc.assert(
      fc.property(
        folds,
        fc.boolean(),
        gaps,
        fc.array(value, { minLength: 60, maxLength: 60 }),
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        (fold, isAmount, between, values, skip, kept) => {
          const points = pointsOf(between, values);
          const stepMs = 70;
          const all = foldOnce({ fold, isAmount, stepMs, steps: 200 }, points);
          const fromMs = skip * stepMs;
          const toMs = fromMs + kept * stepMs;
          let first = points.findIndex(([t]) => t >= fromMs);
          if (first < 0) first = points.length;
          let end = points.findIndex(([t]) => t >= toMs);
          if (end < 0) end = points.length;
          const read = points.slice(contextOf(points, first, -1), contextOf(points, end - 1, 1) + 1);
          const some = foldOnce({ fold, isAmount, fromMs, stepMs, steps: kept }, read);
          expect(some).toEqual(all.slice(skip, skip + kept));
        },
      ),
    );
  });
});

describe('a long series in pieces', () => {
  const LENGTH = 20_000;
  const times = Float64Array.from({ length: LENGTH }, (_, i) => i * 10 + (i % 7));
  const values = Float64Array.from({ length: LENGTH }, (_, i) => (i % 41 < 5 ? NONE : (i % 500) * 0.1));
  const folds = [
    TIME_FOLD.avg,
    TIME_FOLD.min,
    TIME_FOLD.last,
    TIME_FOLD.sum,
    TIME_FOLD.count,
    TIME_FOLD.increase,
    TIME_FOLD.rate,
    TIME_FOLD.sketchSum,
  ];

  test.each(folds.flatMap((fold) => [false, true].map((isAmount) => ({ fold, isAmount }))))(
    'has the values that it has at once, $fold, amounts: $isAmount',
    (options) => {
      // Steps do not end where pieces do; the last points are behind the range.
      const make = () => new TimeFolder({ fromMs: 1000, stepMs: 7 * SECOND, steps: 27, ...options });
      const [whole, inPieces] = [make(), make()];
      const { values: expected, present } = whole.foldPoints(times, values, LENGTH);
      const costs: number[] = [];
      const work = inPieces.foldPointsInPieces(times, values, LENGTH);
      let step = work.next();
      for (; step.done !== true; step = work.next()) costs.push(step.value);
      expect(step.value.values).toEqual(expected);
      expect(step.value.present).toEqual(present);
      expect(inPieces.findings).toEqual(whole.findings);
      expect(costs.length).toBeGreaterThan(3);
      expect(costs.reduce((sum, cost) => sum + cost, 0)).toBe(LENGTH);
    },
  );
});
