import { expect, test } from '@jest/globals';
import { NOTHING_STATED, type StatedIntervals } from '@tidemark/model';
import fc from 'fast-check';
import { TIME_FOLD, type TimeFoldName } from './fold.ts';
import { foldMemory } from './fold-memory.fixture.ts';
import { foldProgram } from './fold-program.ts';
import { canMakeProgram, ProgramMaker } from './program-maker.ts';

const START_MS = 1_700_000_000_000;
const FOLDS: readonly TimeFoldName[] = ['avg', 'min', 'max', 'last', 'increase', 'rate', 'sum', 'count', 'points'];
/** Of the program; behind it there is what is the same for all columns. */
const TIMES_AT = 65_536;
const BEHIND = 131_072;

const memory = foldMemory();
const maker = new ProgramMaker(memory);

const gaps = fc.oneof(
  fc.constantFrom(1, 1000, 10_000, 60_000).map((gap) => new Array<number>(80).fill(gap)),
  fc.array(fc.integer({ min: 9_900, max: 10_100 }), { maxLength: 120 }),
  fc.array(fc.constantFrom(9_500, 10_000, 10_000, 10_000, 10_500), { maxLength: 80 }),
  fc.array(fc.constantFrom(1, 10_000, 10_000, 10_000, 24_999, 25_001, 45_000, 400_000), { maxLength: 80 }),
  fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 80 }),
);
const times = fc.tuple(fc.constantFrom(START_MS, 0, -100_000), gaps).map(([startMs, own]) => {
  const timesMs = Float64Array.of(startMs, ...own);
  for (let i = 1; i < timesMs.length; i++) timesMs[i] += timesMs[i - 1];
  return timesMs;
});
const range = fc.record({
  fromMs: fc.integer({ min: -300_000, max: 300_000 }),
  stepMs: fc.constantFrom(1, 1000, 7000, 7321, 10_000, 60_000, 300_000, 2 ** 35),
  steps: fc.integer({ min: 1, max: 100 }),
});
const statements = fc.constantFrom<StatedIntervals>(
  NOTHING_STATED,
  NOTHING_STATED,
  { sinceMs: [Number.NEGATIVE_INFINITY], intervalsMs: [10_000] },
  { sinceMs: [START_MS + 50_000], intervalsMs: [30_000] },
  { sinceMs: [Number.NEGATIVE_INFINITY, START_MS + 70_000, START_MS + 200_000], intervalsMs: [9999, 15_000, 1] },
);

test('programs that are made in WebAssembly are those of foldProgram, byte by byte', () => {
  let made = 0;
  let none = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...FOLDS),
      fc.boolean(),
      range,
      fc.constantFrom(0, 0, 15_000),
      fc.array(fc.tuple(times, statements), { minLength: 1, maxLength: 4 }),
      (name, isAmount, { fromMs, stepMs, steps }, intervalMs, columns) => {
        const [[first]] = columns;
        const options = { fold: TIME_FOLD[name], isAmount, fromMs: first[0] + fromMs, stepMs, steps, intervalMs };
        maker.begin(options, 1024);
        for (const [timesMs, stated] of columns) {
          memory.floats.set(timesMs, TIMES_AT / 8);
          const wanted = foldProgram(options, timesMs, timesMs.length, stated);
          const isMade = maker.make(isAmount, TIMES_AT, timesMs.length, stated, BEHIND);
          expect(isMade).toBe(wanted !== undefined);
          if (wanted === undefined) {
            none++;
            continue;
          }
          made++;
          const { records, recordsEnd, durations, weights, counts } = maker.place;
          expect(Buffer.from(memory.bytes.subarray(records, recordsEnd))).toEqual(Buffer.from(wanted.records));
          expect(floatsAt(durations, wanted.durationsMs.length)).toEqual(wanted.durationsMs);
          expect([maker.first, maker.end]).toEqual([wanted.first, wanted.end]);
          expect(Buffer.from(memory.bytes.subarray(maker.presentAt, maker.presentAt + steps))).toEqual(
            Buffer.from(wanted.present),
          );
          const lastTimesMs = floatsAt(maker.lastTimesAt, steps).map((ms, i) => (wanted.present[i] === 1 ? ms : 0));
          expect(lastTimesMs).toEqual(wanted.lastTimesMs);
          if (name === 'avg' || name === 'rate') expect(floatsAt(weights, steps)).toEqual(wanted.weights);
          expect(counts !== 0).toBe(wanted.counts !== undefined);
          if (wanted.counts !== undefined) expect(floatsAt(counts, steps)).toEqual(wanted.counts);
        }
      },
    ),
    { numRuns: 1000 },
  );
  expect(made).toBeGreaterThan(500);
  expect(none).toBeGreaterThan(30);
});

test('no program is made of ranges whose sums of times may be inexact', () => {
  const options = { fold: TIME_FOLD.avg, isAmount: false, fromMs: START_MS, stepMs: 1000, steps: 10 };
  expect(canMakeProgram(options)).toBe(true);
  for (const change of [{ stepMs: 3333.3 }, { fromMs: 0.5 }, { stepMs: 2 ** 35 + 1 }, { fromMs: 2 ** 51 }]) {
    expect(canMakeProgram({ ...options, ...change })).toBe(false);
  }
  expect(canMakeProgram({ ...options, fold: TIME_FOLD.sketch })).toBe(false);
});

test('it finds whether times ascend', () => {
  const ascends = (...all: number[]) => {
    memory.floats.set(all, TIMES_AT / 8);
    return maker.ascends(TIMES_AT, all.length);
  };
  expect([ascends(5), ascends(1, 2, 3), ascends(1, 1), ascends(1, 2, 2, 3), ascends(1, 3, 2)]).toEqual([
    ...[true, true, false, false, false],
  ]);
});

function floatsAt(address: number, length: number): Float64Array {
  return memory.floats.slice(address / 8, address / 8 + length);
}

test.each([['sum'], ['avg']] as const)('amounts that overlap stay in the memory that was reserved: %s', (name) => {
  const at = 1024;
  const [steps, stepMs] = [500, 10_000];
  let reserved = 0;
  const reserve = (end: number): void => {
    reserved = end;
  };
  const own = { ...memory, reserve };
  const maker = new ProgramMaker(own);
  const behind = maker.begin({ fold: TIME_FOLD[name], isAmount: true, fromMs: 0, stepMs, steps }, at);
  const whole = { sinceMs: [Number.NEGATIVE_INFINITY], intervalsMs: [steps * stepMs] };
  for (const times of [
    [0, 5_000],
    [0, 5_000, 9_000],
    [0, 1, 2, 3, 4, 5],
  ]) {
    memory.floats.set(times, behind / 8);
    const from = (behind + 8 * times.length + 15) & -16;
    memory.bytes.fill(0xa5, from);
    expect(maker.make(true, behind, times.length, whole, from)).toBe(false);
    expect(memory.bytes.subarray(reserved).findIndex((byte) => byte !== 0xa5)).toBe(-1);
  }
});
