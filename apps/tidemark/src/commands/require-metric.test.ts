import { expect, test } from '@jest/globals';
import { type ErrorCode, TidemarkError } from '@tidemark/ports';
import type { Remote } from '../remote.ts';
import { requireMetric } from './require-metric.ts';

function asked(code: ErrorCode): Promise<unknown> {
  const call = async () => {
    throw new TidemarkError(code, 'no answer');
  };
  return requireMetric({ query: {} as Remote['query'], call }, 'hits', '; add --new');
}

test.each(['unavailable', 'deadline_exceeded', 'internal'] as const)(
  '%s is not taken for a known metric',
  async (code) => {
    await expect(asked(code)).rejects.toMatchObject({ code, message: 'no answer' });
  },
);

test.each(['permission_denied', 'unauthenticated'] as const)('%s: a key that can not read may state', async (code) => {
  expect(await asked(code)).toBeUndefined();
});

test('an unknown metric is refused with advice', async () => {
  await expect(asked('not_found')).rejects.toMatchObject({ code: 'not_found', message: 'no answer; add --new' });
});
