/** The bounds of points that come in requests, without a client's own stream; each is a setting. */
export interface RequestLimits {
  /** Points of several requests of a tenant are gathered into one batch for this long, ms… */
  readonly gatherMs: number;
  /** …or until there are this many… */
  readonly batchPoints: number;
  /** …or they take this many bytes. */
  readonly batchBytes: number;
  /** A batch of requests waits in a lane for other shares for this long, ms: somebody waits for the answer. */
  readonly lingerMs: number;
  /** Points of one request. */
  readonly requestPoints: number;
  /** Series of one request that are looked up by their names, µs each: others wait meanwhile. */
  readonly namedSeries: number;
  /** New series that one request brings. One with more is to come again: the first are known by then. */
  readonly newSeries: number;
  /** Bytes of one tenant's requests that are not answered yet; beyond, they are to come again. */
  readonly pendingBytesPerTenant: number;
  /** …and of all. */
  readonly pendingBytes: number;
  /** Series remembered of a tenant's requests; then remembering starts over. */
  readonly seriesPerTenant: number;
  /** …but not sooner than this after the last start, ms; until then further series are refused. */
  readonly startOverMs: number;
  /** Client sessions that keys of one tenant's requests name, within `idleMs`. */
  readonly clientSessions: number;
  /** A tenant without a request for this long is forgotten, ms. */
  readonly idleMs: number;
}

export const DEFAULT_REQUEST_LIMITS: RequestLimits = {
  gatherMs: 50,
  batchPoints: 100_000,
  batchBytes: 8 * 1024 * 1024,
  lingerMs: 5,
  requestPoints: 1_000_000,
  namedSeries: 200_000,
  newSeries: 50_000,
  pendingBytesPerTenant: 64 * 1024 * 1024,
  pendingBytes: 256 * 1024 * 1024,
  seriesPerTenant: 2_000_000,
  startOverMs: 600_000,
  clientSessions: 1000,
  idleMs: 3_600_000,
};

/** What a number in memory takes until it is answered for, bytes. */
export const POINT_BYTES = 24;
/** …and a sketch beside its payload. */
export const SKETCH_BYTES = 64;
