import { describe, expect, test } from '@jest/globals';
import { type Shift, TimeShifter } from '@tidemark/fold';
import { leavesOf, parseQuery } from '@tidemark/query-language';
import fc from 'fast-check';
import { type LeafSteps, leafSteps, shapeOf, shownThroughMs } from './leaf-steps.ts';
import { defaultStepMs } from './steps.ts';

const HOUR_MS = 3_600_000;

function stepsOf(text: string, from: number, to: number, shifts: readonly Shift[], before = 0): LeafSteps {
  const [leaf] = leavesOf(parseQuery(text));
  return leafSteps(leaf, from, to, { shifts, before }, defaultStepMs(to - from));
}

const shift = fc.oneof(
  fc.record({ type: fc.constant('seconds' as const), seconds: fc.integer({ min: -9_000_000, max: 90_000 }) }),
  fc.record({
    type: fc.constant('calendar' as const),
    days: fc.integer({ min: 0, max: 40 }),
    months: fc.integer({ min: 0, max: 2 }),
    zone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/Havana'),
  }),
);
const text = fc.constantFrom(
  ...['m{*}', 'm{*}.rollup(3600)', 'm{*}.rollup(86400)', "m{*}.rollup(sum, daily, 'Europe/Berlin')"],
  ...["m{*}.rollup(monthly, 'America/New_York')", 'm{*}.rollup(weekly)'],
);
const from = fc.integer({ min: Date.parse('2015-01-01'), max: Date.parse('2030-01-01') });
const length = fc.integer({ min: 1, max: 100 * 24 * HOUR_MS });

describe('the steps of a leaf', () => {
  test('are each read at the shifted time of its start, in segments that follow one another', () => {
    fc.assert(
      fc.property(
        text,
        from,
        length,
        fc.array(shift, { maxLength: 2 }),
        fc.nat(5),
        (query, at, span, shifts, before) => {
          const steps = stepsOf(query, at, at + span, shifts, before);
          const shifter = new TimeShifter(shifts);
          const read = new Map<number, readonly [number, number]>();
          for (const { index, fromMs, toMs, stepMs, steps: count } of steps.segments) {
            expect(toMs - fromMs).toBe(count * stepMs);
            for (let i = 0; i < count; i++) read.set(index + i, [fromMs + i * stepMs, fromMs + (i + 1) * stepMs]);
          }
          const shown = (i: number) => steps.startsMs?.[i] ?? steps.fromMs + i * steps.stepMs;
          expect(shown(before)).toBeLessThanOrEqual(at);
          expect(shown(steps.steps)).toBeGreaterThanOrEqual(at + span);
          for (let i = 0; i < steps.steps; i++) {
            if (steps.startsMs !== undefined && !read.has(i)) continue;
            expect(read.get(i)?.[0]).toBe(shifter.shifted(shown(i)));
          }
          const [leaf] = leavesOf(parseQuery(query));
          expect(shapeOf(leaf, at, at + span, defaultStepMs(span)).steps).toBe(steps.steps - before);
        },
      ),
    );
  });

  test('without a shift are those of the range, in one segment', () => {
    const steps = stepsOf('m{*}.rollup(60)', 90_000, 150_000, [], 1);
    expect(steps).toEqual({
      ...{ fromMs: 0, stepMs: 60_000, steps: 3, before: 1 },
      segments: [{ index: 0, fromMs: 0, toMs: 180_000, stepMs: 60_000, steps: 3 }],
    });
  });

  test('before 1970 are not read', () => {
    const steps = stepsOf('m{*}.rollup(60)', 60_000, 120_000, [], 3);
    expect(steps.segments).toEqual([{ index: 2, fromMs: 0, toMs: 120_000, stepMs: 60_000, steps: 2 }]);
  });

  test('of a calendar beyond its years, or with too many lengths, are refused', () => {
    expect(() => stepsOf('m{*}.rollup(daily)', 1e15, 1e15 + 1, [])).toThrow('limit: the year 9999 for calendars');
    const years = Date.parse('2000-01-01');
    const months = () => stepsOf("m{*}.rollup(monthly, 'UTC')", years, years + 20 * 366 * 24 * HOUR_MS, []);
    expect(months).toThrow(/takes \d+ requests per partition \(limit: 128\); ask for a shorter range/);
  });
});

describe('what is shown is complete', () => {
  test('as much later as the shift goes back, also beyond the range and before it', () => {
    const steps = stepsOf('m{*}.rollup(60)', 600_000, 720_000, [{ type: 'seconds', seconds: -300 }]);
    for (const through of [0, 299_000, 300_000, 391_234, 420_000, 999_999]) {
      expect(shownThroughMs(steps, through)).toBe(through + 300_000);
    }
  });

  test('never beyond a step that is read later than what is complete, and at least up to it', () => {
    fc.assert(
      fc.property(text, from, length, fc.array(shift, { maxLength: 2 }), fc.nat(), (query, at, span, shifts, more) => {
        const steps = stepsOf(query, at, at + span, shifts);
        const shown = (i: number) => steps.startsMs?.[i] ?? steps.fromMs + i * steps.stepMs;
        // A calendar shift can leave a day without a counterpart (31 December a month ago): then nothing is read.
        const first = steps.segments[0]?.fromMs ?? at;
        const through = first + (more % (2 * span + 1));
        const result = shownThroughMs(steps, through);
        if (steps.segments.length === 0) return expect(result).toBe(through);
        let complete = 0;
        const ends = steps.segments.flatMap(({ index, fromMs, stepMs, steps: count }) =>
          Array.from({ length: count }, (_, i) => [index + i, fromMs + (i + 1) * stepMs]),
        );
        for (const [step, end] of ends) {
          if (end > through) break;
          complete = step + 1;
        }
        const open = ends.find(([, end]) => end > through);
        expect(result).toBeGreaterThanOrEqual(shown(open === undefined ? complete : Math.min(open[0], complete)));
        if (open !== undefined) expect(result).toBeLessThan(shown(open[0] + 1));
      }),
    );
  });
});
