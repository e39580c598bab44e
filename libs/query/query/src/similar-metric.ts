import type { DescribedMetric } from '@tidemark/contract';
import { nearest } from '@tidemark/query-language';

/** Names and values of this length and below are compared. */
export const MAX_COMPARED = 200;
/** Parts of a name that others are searched by, and the shortest of them. */
const MAX_PARTS = 2;
const MIN_PART = 3;

/** Returns metrics that have a similar name, and the metric itself where it exists. `find` returns those with a text. */
export async function similarMetrics(
  metric: string,
  find: (contains: string) => Promise<readonly DescribedMetric[]>,
): Promise<DescribedMetric[]> {
  return (await Promise.all(searchTexts(metric).map(find))).flat();
}

/** The end of a sentence about a metric that was not found: the name that was probably meant. */
export function didYouMeanMetric(metric: string, similar: readonly DescribedMetric[]): string {
  const names = similar.map((one) => one.metric);
  return didYouMean(nearest(metric, names, MAX_COMPARED));
}

export function didYouMean(name: string | undefined): string {
  return name === undefined ? '' : `; did you mean ${name}?`;
}

/** A misspelt name has a mistake in one of its parts, so that one of two parts finds it. */
function searchTexts(metric: string): string[] {
  const parts = metric.split(/[._]/).filter((part) => part.length >= MIN_PART);
  if (parts.length < 2) return [''];
  return [...new Set(parts)].sort((a, b) => b.length - a.length).slice(0, MAX_PARTS);
}
