import { expect, test } from '@jest/globals';
import { ERROR_CODES, TidemarkError } from '@tidemark/ports';
import { isRefusal } from './is-refusal.ts';

test('a refusal is an error that every replica would answer with', () => {
  const refusals = ERROR_CODES.filter((code) => isRefusal(new TidemarkError(code, 'no')));
  expect(refusals.sort()).toEqual(['invalid_argument', 'out_of_range', 'resource_exhausted', 'unimplemented']);
  expect(isRefusal(new Error('no'))).toBe(false);
});
