import { DAY_MS } from '@tidemark/model';
import { TidemarkError } from '@tidemark/ports';
import { DEFAULT_QUERY_LIMITS, type QueryLimits } from '@tidemark/query-language';

/** Bounds of one query; each refusal names one of them. */
export interface QueryServiceLimits {
  /** Limits of the text: its length, depth, leaves. */
  readonly language: QueryLimits;
  /** Steps of one leaf. */
  readonly steps: number;
  /** Length of the range, ms. */
  readonly rangeMs: number;
  /** Series of all leaves together, counted once for each group they fall into. */
  readonly series: number;
  /** Groups of all leaves together. */
  readonly groups: number;
  /** Values (groups × steps) of all leaves together, and of all series of an answer. */
  readonly values: number;
  /** Values of leaves over distributions, each of which is a sketch of some KiB until the end. */
  readonly sketchValues: number;
  /** Memory of one query: what the stores answered, the values of each of its parts, and its answer, bytes. */
  readonly memoryBytes: number;
  /** Memory of all queries of a tenant, bytes. */
  readonly tenantMemoryBytes: number;
  /** Memory of all queries of the process, bytes. */
  readonly processMemoryBytes: number;
  /** Bytes of one request over gRPC: to decode a long one delays all other callers. */
  readonly requestBytes: number;
  /** Points that the stores read. */
  readonly points: number;
  /** How long a query may take, ms. */
  readonly timeMs: number;
  /** Concurrent queries of one tenant. */
  readonly concurrentQueries: number;
  /** Concurrent requests of one query to the stores. */
  readonly concurrentRequests: number;
  /** Metrics, or values of a tag key, in one description. */
  readonly described: number;
  /** Series sets per partition that are recorded as known to the store by their digest. */
  readonly seriesSets: number;
  /** Minimum size of a series set that is sent once and then named by its digest, bytes. */
  readonly seriesSetBytes: number;
  /** Series that the tag stores found for recent questions, bytes. */
  readonly matchBytes: number;
}

const MIB = 2 ** 20;

export const DEFAULT_QUERY_SERVICE_LIMITS: QueryServiceLimits = {
  language: DEFAULT_QUERY_LIMITS,
  steps: 11_000,
  rangeMs: 5 * 366 * DAY_MS,
  series: 1_000_000,
  groups: 20_000,
  values: 4_000_000,
  sketchValues: 200_000,
  memoryBytes: 256 * MIB,
  tenantMemoryBytes: 512 * MIB,
  processMemoryBytes: 1024 * MIB,
  requestBytes: MIB,
  points: 200_000_000,
  timeMs: 30_000,
  concurrentQueries: 16,
  concurrentRequests: 32,
  described: 1_000,
  seriesSets: 1_024,
  seriesSetBytes: 256,
  matchBytes: 16 * MIB,
};

export type MemoryLimit = 'memoryBytes' | 'tenantMemoryBytes' | 'processMemoryBytes';

type NumericLimit = Exclude<keyof QueryServiceLimits, 'language'>;

/** Creates the refusal of a query that exceeds a limit, with the setting; `advice` says what else to do than to raise it. */
export function beyondLimit(
  limits: QueryServiceLimits,
  name: NumericLimit,
  found: string,
  advice = 'ask for less',
): TidemarkError {
  return refusal('resource_exhausted', limits, name, found, advice);
}

/** The refusal of a query that can't be answered as it is asked, at any load. */
export function tooLong(limits: QueryServiceLimits, name: NumericLimit, found: string, advice: string): TidemarkError {
  return refusal('invalid_argument', limits, name, found, advice);
}

function refusal(
  code: 'resource_exhausted' | 'invalid_argument',
  limits: QueryServiceLimits,
  name: NumericLimit,
  found: string,
  advice: string,
): TidemarkError {
  const allowed = limits[name];
  const message = `${found} (limit: query.${name} ${allowed}); ${advice}, or raise query.${name}`;
  return new TidemarkError(code, message, { limit: `query.${name}`, allowed });
}
