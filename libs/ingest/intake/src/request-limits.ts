import { SHARE_POINTS_LIMIT, SHARE_SKETCHES_LIMIT } from '@tidemark/columns';

/** Limits of points in requests, which have no stream of a client. Each is a setting. */
export interface RequestLimits {
  /** Max time for which points wait until an earlier batch of their tenant is stored, ms. */
  readonly gatherMs: number;
  /** Number of gathered points at which a batch is sent, or 65,536 if that is less. Max points of a request with a key. */
  readonly batchPoints: number;
  /** Bytes of gathered points at which a batch is sent. */
  readonly batchBytes: number;
  /** Max points per request. */
  readonly requestPoints: number;
  /** Max series per request that are searched by name. Each takes some µs, during which other requests wait. */
  readonly namedSeries: number;
  /** Max new series per request. A larger request must be retried; its first series are known by then. */
  readonly newSeries: number;
  /** Max bytes of one tenant's requests without an answer. Requests above it must be retried. */
  readonly pendingBytesPerTenant: number;
  /** Max bytes of all requests without an answer. */
  readonly pendingBytes: number;
  /** Max known series of a tenant's requests. At the limit the table starts again. */
  readonly seriesPerTenant: number;
  /** Min time between two starts of that table, ms. Further series are refused until then. */
  readonly startOverMs: number;
  /** Max client sessions in the keys of one tenant's requests, within `idleMs`. */
  readonly clientSessions: number;
  /** Time after which a tenant without a request is dropped, ms. */
  readonly idleMs: number;
}

export const DEFAULT_REQUEST_LIMITS: RequestLimits = {
  gatherMs: 50,
  batchPoints: 100_000,
  batchBytes: 8 * 1024 * 1024,
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

/** Bytes of memory of a number until it is answered. */
export const POINT_BYTES = 24;
/** Bytes of memory of a sketch until it is answered, in addition to its payload. */
export const SKETCH_BYTES = 64;

/** Points of a batch of requests without keys: sorting and encoding more at once would delay other work. */
const GATHERED_POINTS = 65_536;
/** Points, sketches and bytes of sketches of a request that are judged at once: a few milliseconds of work. */
export const STEP_POINTS = 8192;
export const STEP_SKETCHES = 1024;
export const STEP_SKETCH_BYTES = 512 * 1024;

/** Returns the size at which a batch of requests is sent. Its share of a partition is less than twice as large. */
export function batchSize(
  { batchPoints, batchBytes }: Pick<RequestLimits, 'batchPoints' | 'batchBytes'>,
  shareBytes: number,
): { readonly points: number; readonly bytes: number } {
  const points = Math.min(
    batchPoints,
    GATHERED_POINTS,
    Math.floor(Math.min(SHARE_POINTS_LIMIT, SHARE_SKETCHES_LIMIT) / 2),
  );
  return { points, bytes: Math.min(batchBytes, Math.floor(shareBytes / 2)) };
}
