export const NO_PROMQL =
  'PromQL is not supported; query GET /api/v1/query in the query language of Datadog (docs/remote-write.md#querying)';
const NO_EXPOSITION =
  'the platform has no exposition of its own figures; run `tidemark status` or `tidemark doctor`, or read /api/tidemark/v1/status';
const NO_INTAKE = 'this process answers queries; send metrics to an intake';
const NO_TAG_SETTINGS = 'Tidemark keeps all tags of a metric, so there are no settings, volumes or estimates of tags';

/** A request of another product that has no route here. */
export interface ForeignPath {
  readonly method?: 'POST';
  readonly path: RegExp;
  /**
   * 400 for data of Datadog's agents: they drop such a payload and log the reason, while at 404 they would retry and
   * fill their queues. 404 otherwise.
   */
  readonly status: 400 | 404;
  /** What is not accepted, or what to do instead. */
  readonly advice: string;
}

/** The first entry that matches counts. docs/datadog.md and docs/remote-write.md list these paths for their readers. */
const FOREIGN_PATHS: readonly ForeignPath[] = [
  notTaken(/^\/api\/v1\/events$/, 'events are not accepted'),
  notTaken(/^\/intake\/?$/, 'events and host metadata are not accepted'),
  notTaken(/^\/api\/v1\/metadata$/, 'host metadata is not accepted'),
  notTaken(/^\/(api\/v2\/logs|v1\/input)$/, 'logs are not accepted'),
  notTaken(/^\/(api\/v0\.2\/traces|v0\.[345]\/traces)$/, 'traces are not accepted'),
  notTaken(
    /^\/api\/intake\/metrics\/v3(beta)?\/(series|sketches)$/,
    'version 3 is not accepted; leave use_v3_api.series.enabled at its default, which sends version 2 here',
  ),
  {
    method: 'POST',
    path: /^\/api\/(v[12]\/series|v1\/(distribution_points|check_run|write)|beta\/sketches)$/,
    status: 404,
    advice: NO_INTAKE,
  },
  forReaders(/^\/api\/v1\/(query_range|query_exemplars|labels|series|metadata|format_query|parse_query)$/, NO_PROMQL),
  forReaders(/^\/api\/v1\/(rules|alerts|targets|status\/\w+)$/, NO_PROMQL),
  forReaders(/^\/api\/v1\/label\/[^/]+\/values$/, NO_PROMQL),
  forReaders(
    /^\/api\/v1\/read$/,
    'remote read is not supported; query GET /api/v1/query (docs/remote-write.md#querying)',
  ),
  forReaders(/^\/(metrics|federate)$/, NO_EXPOSITION),
  forReaders(/^\/-\/(healthy|ready)$/, 'health checks are GET /healthz and GET /readyz'),
  forReaders(/^\/(graph|query|targets|alerts|config|flags|rules)$/, 'the page is at /'),
  forReaders(
    /^\/api\/v2\/metrics\/([^/]+\/(tags|volumes|estimate|assets|active-configurations|tag-cardinalities)|config\/bulk-tags)$/,
    NO_TAG_SETTINGS,
  ),
  forReaders(
    /^\/api\/v2\/metrics\/([^/]+\/tag-indexing-rules?(-exemptions)?|tag-indexing-rules(\/.+)?|historical-metrics-configurations(\/.+)?)$/,
    NO_TAG_SETTINGS,
  ),
];

function notTaken(path: RegExp, advice: string): ForeignPath {
  return { method: 'POST', path, status: 400, advice };
}

function forReaders(path: RegExp, advice: string): ForeignPath {
  return { path, status: 404, advice };
}

/** Returns how to answer a request that has no route; undefined for a path that no other product has. */
export function foreignPath(method: string, path: string): ForeignPath | undefined {
  return FOREIGN_PATHS.find((one) => (one.method ?? method) === method && one.path.test(path));
}
