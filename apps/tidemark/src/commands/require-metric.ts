import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { Remote } from '../remote.ts';

/**
 * Throws `not_found`, with a similar name, for an unknown metric, and any other error of the question. A key without the
 * scope `read` can't ask: it may state.
 */
export async function requireMetric(
  remote: Pick<Remote, 'query' | 'call'>,
  metric: string,
  advice = '',
): Promise<void> {
  try {
    await remote.call(remote.query, remote.query.metric, { metric });
  } catch (error) {
    if (isTidemarkError(error, 'not_found')) throw new TidemarkError('not_found', `${error.message}${advice}`);
    if (!isTidemarkError(error, 'permission_denied') && !isTidemarkError(error, 'unauthenticated')) throw error;
  }
}
