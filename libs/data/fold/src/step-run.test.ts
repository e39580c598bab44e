import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FoldedSteps } from './folded-steps.ts';
import { addSpread } from './spread-amounts.ts';
import { StepRun } from './step-run.ts';

const OPTIONS = { fromMs: 1000, stepMs: 70, steps: 20 };
const amount = fc.oneof(
  { weight: 8, arbitrary: fc.double({ noDefaultInfinity: true, noNaN: true, min: -1e6, max: 1e6 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 1.7e308, 5e-324) },
);
/** Stretches of time, most of which follow each other. */
const stretches = fc.array(
  fc.record({
    gapMs: fc.constantFrom(0, 0, 0, 0, 5, 300),
    lengthMs: fc.constantFrom(0, 1, 10, 10, 10, 70, 500),
    amount,
  }),
  { maxLength: 300 },
);

test('a run of amounts gives the same bits as one amount after the other', () => {
  fc.assert(
    fc.property(stretches, fc.nat(1200), fc.array(fc.nat(300), { maxLength: 5 }), (parts, startMs, flushes) => {
      const [plain, together] = [new FoldedSteps(OPTIONS), new FoldedSteps(OPTIONS)];
      const run = new StepRun(together);
      run.begin();
      let atMs = startMs;
      for (const [i, { gapMs, lengthMs, amount: own }] of parts.entries()) {
        const fromMs = atMs + gapMs;
        atMs = fromMs + lengthMs;
        addSpread(plain, fromMs, atMs, own, atMs);
        run.add(fromMs, atMs, own, atMs);
        if (flushes.includes(i)) run.flush();
      }
      run.flush();
      const valuesOf = ({ sums }: FoldedSteps) => Array.from({ length: OPTIONS.steps }, (_, i) => sums.value(i));
      expect(valuesOf(together)).toEqual(valuesOf(plain));
      const { weights, present, first, end } = plain;
      expect(together).toMatchObject({ weights, present, first, end });
      for (let i = first; i < end; i++) {
        if (present[i] === 1) expect(together.lastTimesMs[i]).toBe(plain.lastTimesMs[i]);
      }
    }),
    { numRuns: 500 },
  );
});
