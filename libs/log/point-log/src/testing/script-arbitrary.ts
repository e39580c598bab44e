import fc from 'fast-check';
import { type ScriptStep, SERIES } from './log-script.ts';

const point = fc.record({
  series: fc.nat(SERIES - 1),
  behindMs: fc.oneof(
    fc.nat(5),
    fc.nat(40).map((n) => n * 500),
    fc.nat(90_000),
  ),
  value: fc.constantFrom(0, 1, 2, 3, 7.25, 0.1, 0.2, 0.3, 1e16, 1e-9, 123456.789),
});
const span = fc.record({
  client: fc.nat(2),
  repeat: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) }),
  mapEpoch: fc.oneof(
    { weight: 4, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
  ),
  points: fc.array(point, { maxLength: 12 }),
});
const step: fc.Arbitrary<ScriptStep> = fc.record({
  action: fc.oneof(
    { weight: 8, arbitrary: fc.constant('block' as const) },
    { weight: 2, arbitrary: fc.constant('mark' as const) },
    { weight: 1, arbitrary: fc.constantFrom('close', 'fence', 'epoch', 'repeat', 'set-back') },
  ),
  session: fc.nat(2),
  aheadMs: fc.oneof(fc.nat(100), fc.nat(3_000)),
  spans: fc.array(span, { maxLength: 3 }),
});

/** Scripts for `play`: three sessions, three clients, late and repeated batches, fences, new epochs, clocks set back. */
export const script = fc.array(step, { minLength: 5, maxLength: 60 });
