import type { DescribedMetric } from '@tidemark/contract';
import { isTidemarkError, TidemarkError } from '@tidemark/ports';
import type { Remote } from '../remote.ts';

/**
 * Returns what is known of a metric, undefined where the key can't ask. Throws `not_found`, with a similar name, for an
 * unknown metric, and any other error of the question. A key without the scope `read` can't ask: it may state.
 */
export async function requireMetric(
  remote: Pick<Remote, 'query' | 'call'>,
  metric: string,
  advice = '',
): Promise<DescribedMetric | undefined> {
  try {
    return (await remote.call(remote.query, remote.query.metric, { metric })).description;
  } catch (error) {
    if (isTidemarkError(error, 'not_found')) throw new TidemarkError('not_found', `${error.message}${advice}`);
    if (!isTidemarkError(error, 'permission_denied') && !isTidemarkError(error, 'unauthenticated')) throw error;
    return undefined;
  }
}
