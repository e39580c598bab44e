import { expect, test } from '@jest/globals';
import { NOTHING_STATED } from '@tidemark/model';
import fc from 'fast-check';
import { TIME_FOLD, type TimeFoldName } from './fold.ts';
import { FoldKernel } from './fold-kernel.ts';
import { foldMemory } from './fold-memory.fixture.ts';
import { foldProgram, hasProgram } from './fold-program.ts';
import { TimeFolder } from './time-folder.ts';

const START_MS = 1_700_000_000_000;
const FOLDS: readonly TimeFoldName[] = ['avg', 'min', 'max', 'last', 'increase', 'rate', 'sum', 'count', 'points'];
const LENGTH = 80;

const memory = foldMemory();
const kernel = new FoldKernel(memory);

const gaps = fc.oneof(
  fc.constantFrom(1000, 10_000, 60_000).map((gap) => new Array<number>(LENGTH).fill(gap)),
  fc.array(fc.constantFrom(9_500, 10_000, 10_000, 10_000, 10_500), { minLength: 1, maxLength: LENGTH }),
  fc.array(fc.constantFrom(1, 10_000, 10_000, 10_000, 45_000, 400_000), { minLength: 0, maxLength: LENGTH }),
);
const ordinary = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 1000 }) },
  { weight: 4, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, 5e-324, 1e200, -1e200, 0.1) },
);
const special = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300, -1.7e308);
const SORTS = {
  ordinary,
  odd: fc.oneof({ weight: 40, arbitrary: ordinary }, { weight: 1, arbitrary: special }),
  /** Their differences and sums are exact. */
  whole: fc.integer({ min: -(2 ** 49), max: 2 ** 50 }),
};
const columnOf = (isAscending: boolean, sort: keyof typeof SORTS) =>
  fc
    .array(SORTS[sort], { minLength: LENGTH + 1, maxLength: LENGTH + 1 })
    .map((values) => (isAscending ? values.sort((a, b) => a - b) : values));
const columns = fc
  .tuple(fc.boolean(), fc.constantFrom('ordinary', 'odd', 'whole', 'whole'))
  .chain(([isAscending, sort]) => {
    return fc.tuple(columnOf(isAscending, sort), columnOf(isAscending, sort === 'odd' ? 'ordinary' : sort));
  });

test('a program folds a pair of columns to the same bits as TimeFolder, or refuses them', () => {
  let folded = 0;
  let refused = 0;
  let whole = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...FOLDS),
      fc.boolean(),
      gaps,
      columns,
      fc.record({
        fromMs: fc.integer({ min: -300_000, max: 300_000 }).map((ms) => START_MS + ms),
        stepMs: fc.constantFrom(1000, 7000, 10_000, 60_000, 300_000, 3333.3),
        steps: fc.integer({ min: 1, max: 100 }),
      }),
      fc.constantFrom(0, 10_000, 30_000),
      fc.constantFrom(0, 0, 15_000),
      (name, isAmount, gapsMs, pair, range, statedMs, intervalMs) => {
        const options = { ...range, fold: TIME_FOLD[name], isAmount, intervalMs };
        const timesMs = Float64Array.of(START_MS, ...gapsMs);
        for (let i = 1; i < timesMs.length; i++) timesMs[i] += timesMs[i - 1];
        const { length } = timesMs;
        const stated = statedMs === 0 ? NOTHING_STATED : { sinceMs: [START_MS + 50_000], intervalsMs: [statedMs] };
        const program = foldProgram(options, timesMs, length, stated);
        expect(program === undefined || hasProgram(TIME_FOLD[name])).toBe(true);
        if (program === undefined) return;
        const a = 1024;
        const b = a + 8 * length;
        memory.floats.set(pair[0].slice(0, length), a / 8);
        memory.floats.set(pair[1].slice(0, length), b / 8);
        kernel.load(TIME_FOLD[name], program, 8192);
        const areWhole = kernel.areWhole(a, length) && kernel.areWhole(b, length);
        if (areWhole) whole++;
        if (!kernel.run(a, b, areWhole)) {
          refused++;
          const isFalling = pair.some((own) => own.some((value, i) => i > 0 && i < length && value < own[i - 1]));
          const isOdd = pair.some((own) => own.slice(0, length).some((value) => !(Math.abs(value) <= 1e200)));
          expect(isOdd || ((name === 'increase' || name === 'rate') && isFalling)).toBe(true);
          return;
        }
        folded++;
        pair.forEach((own, i) => {
          const wanted = new TimeFolder(options).foldPoints(timesMs, Float64Array.from(own), length, stated);
          expect([program.first, program.end]).toEqual([wanted.first, wanted.end]);
          const out = (i === 0 ? kernel.outA : kernel.outB) / 8;
          for (let step = wanted.first; step < wanted.end; step++) {
            expect(program.present[step]).toBe(wanted.present[step]);
            if (wanted.present[step] === 0) continue;
            expect(program.lastTimesMs[step]).toBe(wanted.lastTimesMs[step]);
            expect(Object.is(memory.floats[out + step], wanted.values[step]) || [step, own]).toBe(true);
          }
        });
      },
    ),
    { numRuns: 1500 },
  );
  expect(folded).toBeGreaterThan(200);
  expect(whole).toBeGreaterThan(30);
  expect(refused).toBeGreaterThan(30);
});
