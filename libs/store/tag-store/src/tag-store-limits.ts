import { TidemarkError } from '@tidemark/ports';

/** What one request may ask of a partition, and what the partition keeps beside its index. */
export interface TagStoreLimits {
  /** Series in the groups of one match, counted once for each group they fall into. Requests may ask for less. */
  readonly matchSeries: number;
  /** Groups of one match, at most 100,000. Requests may ask for less. */
  readonly matchGroups: number;
  /** `group_by` keys of one match, at most 20. */
  readonly groupKeys: number;
  /** How deep a filter may nest. */
  readonly filterDepth: number;
  /** Tags, patterns, values and operators of one filter. */
  readonly filterTerms: number;
  /** Metrics, or values a key, of one description; also what a request without a limit gets. */
  readonly described: number;
  /** Series of one `SeriesTags` request. */
  readonly seriesTags: number;
}

export const DEFAULT_TAG_STORE_LIMITS: TagStoreLimits = {
  matchSeries: 1_000_000,
  matchGroups: 100_000,
  groupKeys: 20,
  filterDepth: 32,
  filterTerms: 10_000,
  described: 1_000,
  seriesTags: 100_000,
};

/** A refusal that names the limit and what was found. */
export function beyond(limit: string, allowed: number, found: string): TidemarkError {
  return new TidemarkError('resource_exhausted', `${found} (limit: ${limit} ${allowed})`, { limit, allowed });
}

/** The request's own limit, if it has one, or the partition's, whichever is less. */
export function lesser(requested: number, own: number): number {
  return requested > 0 ? Math.min(requested, own) : own;
}
