const NO_PROMQL =
  'PromQL is not supported; query GET /api/v1/query in the query language of Datadog (docs/remote-write.md#querying)';
const NO_EXPOSITION =
  'the platform has no exposition of its own figures; run `tidemark status` or `tidemark doctor`, or read /api/tidemark/v1/status';

/**
 * Paths of other products that callers try here, with what to do instead. Those that Datadog's agents send to are
 * routes of the intake, since agents need 400 for them (docs/datadog.md).
 */
const FOREIGN_PATHS: readonly (readonly [path: RegExp, advice: string])[] = [
  [/^\/api\/v1\/(query_range|query_exemplars|labels|series|metadata|format_query|parse_query)$/, NO_PROMQL],
  [/^\/api\/v1\/(rules|alerts|targets|status\/\w+)$/, NO_PROMQL],
  [/^\/api\/v1\/label\/[^/]+\/values$/, NO_PROMQL],
  [/^\/api\/v1\/read$/, 'remote read is not supported; query GET /api/v1/query (docs/remote-write.md#querying)'],
  [/^\/metrics$/, NO_EXPOSITION],
];

/** Returns what to do instead of a request to a path of another product; undefined for any other path. */
export function foreignPath(path: string): string | undefined {
  return FOREIGN_PATHS.find(([known]) => known.test(path))?.[1];
}
