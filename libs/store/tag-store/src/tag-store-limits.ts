import { TidemarkError } from '@tidemark/ports';

/** Limits of a request to a partition. */
export interface TagStoreLimits {
  /** Series in the groups of one match, counted once for each of their groups. Requests may have a lower limit. */
  readonly matchSeries: number;
  /** Groups of one match, at most 100,000. Requests may have a lower limit. */
  readonly matchGroups: number;
  /** `group_by` keys of one match, at most 20. */
  readonly groupKeys: number;
  /** Maximum nesting depth of a filter. */
  readonly filterDepth: number;
  /** Tags, patterns, values and operators of one filter. */
  readonly filterTerms: number;
  /** Metrics, or values per key, of one description; also the limit of a request without one. */
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

/** The error that names the limit and the value found. */
export function beyond(limit: string, allowed: number, found: string): TidemarkError {
  return new TidemarkError('resource_exhausted', `${found} (limit: ${limit} ${allowed})`, { limit, allowed });
}

/** The lower of the request's own limit, if it has one, and the partition's. */
export function lesser(requested: number, own: number): number {
  return requested > 0 ? Math.min(requested, own) : own;
}
