import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ClockCheck } from './clock-check.ts';

test('one quick append decides, a slow one does not, and one that is certainly off does', () => {
  const check = new ClockCheck();
  expect(check.state).toBe('unknown');
  check.appended(0, 3000, 2500);
  expect(check.state).toBe('unknown');
  check.appended(4000, 4010, 4900);
  expect([check.state, check.problem]).toEqual(['right', undefined]);
  check.appended(5000, 9000, 6000);
  expect(check.state).toBe('right');
  check.appended(10_000, 10_010, 8900);
  expect(check.state).toBe('off');
  check.appended(11_000, 14_000, 12_500);
  expect(check.state).toBe('unknown');
});

test('two slow appends decide together when one was slow before the append and one after it', () => {
  const check = new ClockCheck();
  check.appended(0, 3000, 10);
  check.appended(4000, 7000, 6990);
  expect(check.state).toBe('right');
});

test('a clock reported as right is right, and one reported as off is off', () => {
  const append = fc.record({ onItsWayMs: fc.nat(4000), backMs: fc.nat(4000) });
  fc.assert(
    fc.property(fc.integer({ min: -5000, max: 5000 }), fc.array(append, { maxLength: 10 }), (aheadMs, appends) => {
      const check = new ClockCheck();
      let trueMs = 0;
      for (const { onItsWayMs, backMs } of appends) {
        const appendTimeMs = trueMs + onItsWayMs;
        check.appended(trueMs + aheadMs, appendTimeMs + backMs + aheadMs, appendTimeMs);
        trueMs = appendTimeMs + backMs;
        if (check.state === 'right') expect(Math.abs(aheadMs)).toBeLessThanOrEqual(1000);
        if (check.state === 'off') expect(Math.abs(aheadMs)).toBeGreaterThan(1000);
      }
    }),
  );
});
