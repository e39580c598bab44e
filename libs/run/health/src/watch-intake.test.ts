import { expect, test } from '@jest/globals';
import { TidemarkError } from '@tidemark/ports';
import { intakeNotReady } from './watch-intake.ts';

function notReady(session: { isReady: boolean; problem: string | undefined }, lanes: Record<number, string> = {}) {
  const problems = Object.entries(lanes).map(([partition, message]) => {
    return [Number(partition), new TidemarkError('resource_exhausted', message)] as const;
  });
  return intakeNotReady({ session: { ...session, laneProblems: () => new Map(problems) } });
}

test('an intake that is not ready gives the problem of its session, then those of its lanes', () => {
  expect(intakeNotReady(undefined)).toBe('the intake is opening its lanes');
  expect(notReady({ isReady: true, problem: undefined })).toBeUndefined();
  expect(notReady({ isReady: false, problem: undefined })).toBe('the intake is opening its lanes');
  expect(notReady({ isReady: false, problem: 'no renewal' }, { 1: 'full' })).toMatch(
    /^no renewal; .* points\/1: full$/,
  );
  const full = "the intake can't append to 1 partition: points/3: 0 bytes are free";
  expect(notReady({ isReady: false, problem: undefined }, { 3: '0 bytes are free' })).toBe(full);
  expect(notReady({ isReady: false, problem: undefined }, { 3: 'a', 5: 'b' })).toMatch(
    /to 2 partitions: points\/3: a$/,
  );
});
