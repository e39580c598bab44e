import { isTidemarkError } from '@tidemark/ports';
import { leavesOf } from './leaves.ts';
import { parseQuery } from './parse.ts';

/** The metrics of a query's text, each once, in reading order; none when it does not parse. metrics-in.test.ts covers it. */
export function metricsIn(text: string): readonly string[] {
  try {
    return [...new Set(leavesOf(parseQuery(text)).map(({ metric }) => metric))];
  } catch (error) {
    if (!isTidemarkError(error, 'invalid_argument')) throw error;
    return [];
  }
}
